"""What each protocol learns of an address, before answers are merged into devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pdsno_cli.model.errors import OperationError


class ProbeUnavailableError(OperationError):
    """A protocol cannot be used on this machine, now; the message is one sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """What an SNMP agent says of itself; None where it says nothing usable.

    ``uptime`` is in seconds. ``mac`` is six lower-case hex pairs joined by colons.
    """

    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    mac: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one sweep, by IPv4 address in dotted form; ``arp`` holds normalised MACs."""

    arp: Mapping[str, str] = field(default_factory=dict)
    icmp: frozenset[str] = frozenset()
    snmp: Mapping[str, SystemInfo] = field(default_factory=dict)
