"""The contract between a sweep and its probes.

A probe is one module with a ``PROBE``, and one entry in ``model.probes.PROBES``::

    class EchoProbe:
        def preload(self) -> None: ...
        def sweep(self, request: ProbeRequest) -> Answers: ...

    PROBE: Probe = EchoProbe()
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pdsno_cli.discovery.pace import Pace
from pdsno_cli.discovery.progress import Progress
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.probes import FACTS, how_to_grant

if TYPE_CHECKING:
    from pdsno_cli.discovery.onlink import Link
    from pdsno_cli.model.details import Detail
    from pdsno_cli.model.probes import ProbeFacts
    from pdsno_cli.spec.topology import Snmp

# The fields of one device by name, those that the probe's registry entry lists in ``yields``.
# ``uptime`` is in seconds; ``mac`` has six hex pairs.
Fields = Mapping[str, str | float]

# The fields of every target that answered, by address; empty fields mean that
# it answered without any.
Answers = Mapping[str, Fields]


class ProbeUnavailableError(OperationError):
    """A protocol cannot be used on this machine at this time; the message is one sentence."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a probe learns beside its answers, by address; a probe adds to it.

    ``details`` are those that were read in this sweep. ``refused`` answered this probe in an
    earlier sweep of this process, and not now. ``stray`` counts, for each address that was asked,
    the replies to its requests that came from other addresses, by source. ``conflicts`` has the MACs
    of each address that several claim. At those in ``closed`` the agent's port is refused.
    """

    details: dict[str, Detail] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    stray: dict[str, dict[str, int]] = field(default_factory=dict)
    conflicts: dict[str, set[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)


class PrivilegeError(ProbeUnavailableError):
    """The process lacks the privilege of a protocol; the message says how to grant it."""

    def __init__(self, protocol: str) -> None:
        grant = how_to_grant(protocol)
        hint = "" if grant is None else f" (grant it: {grant})"
        super().__init__(f"needs {FACTS[protocol].privilege}{hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """The input of one probe in one sweep.

    ``targets`` are addresses of both families in canonical form, up to a million. ``interfaces`` has, for an
    ``on_link`` probe, the targets of each interface with the source address to send from; it is
    empty for others. The secrets of ``snmp`` are resolved. ``cancel`` ends the sweep early; ``pace``
    says how fast and how patiently to ask. ``findings`` is where a probe puts what it learns beside
    its answers, ``progress`` where it says how far it is.
    """

    targets: Sequence[str]
    snmp: Snmp
    cancel: threading.Event
    interfaces: Mapping[str, Link] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    findings: Findings = field(default_factory=Findings)
    progress: Progress = field(default_factory=Progress)


class Probe(Protocol):
    """Sends requests of one protocol to many targets and returns their answers."""

    def preload(self) -> None:
        """Import what ``sweep`` imports late, so that forked processes share it."""

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the answers; called on a thread of its own, waits for the network.

        Raises ProbeUnavailableError when the protocol cannot be used here, for example for lack
        of a privilege. A target that does not answer is not an error.
        """


def load(facts: ProbeFacts) -> Probe:
    """Import the module of a probe and return its ``PROBE``."""
    probe: Probe = importlib.import_module(facts.module).PROBE
    return probe
