"""The contract between the wiring of a controller and the factories of its transports.

A transport is one module with a ``TRANSPORT``, and one entry in ``model.transports.TRANSPORTS``::

    class PigeonFactory:
        def preload(self) -> None: ...
        def build(self, wiring: Wiring) -> Wired | None:
            return Wired(transport=Pigeons(wiring.controller_id, wiring.filters))

    TRANSPORT: TransportFactory = PigeonFactory()
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from pdsno_cli.delivery.subscriptions import filters
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.transports import FACTS, TransportFacts
from pdsno_cli.runtime.acl import live_acl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.delivery.live_topology import LiveTopology
    from pdsno_cli.messaging.bus import Bus
    from pdsno_cli.messaging.transport import FailoverMember, Ingress
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Controller, Topology


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the transports of one controller are built from.

    ``access`` is to the broker, None where there is none. ``state`` is None, and ``bus`` is not,
    where all controllers share one process. ``source`` is the controller's own loopback address,
    where it has one. ``has_other_up`` returns True if a transport other than the one named is up;
    it may be called once the controller is connecting.
    """

    controller_id: str
    epoch: int
    live: LiveTopology
    key: bytes
    access: BrokerAccess | None
    state: StateDir | None
    bus: Bus | None
    source: str | None
    has_other_up: Callable[[str], bool]

    @property
    def topology(self) -> Topology:
        """The topology, which may be another at the next look."""
        return self.live.topology

    @property
    def spec(self) -> Controller:
        """The controller."""
        return self.topology.controllers[self.controller_id]

    @cached_property
    def filters(self) -> tuple[str, ...]:
        """What the controller subscribes to."""
        return filters(self.topology, self.spec)

    @cached_property
    def codec(self) -> Codec:
        """The codec of the topology."""
        topology = self.topology
        return Codec(self.key, topology.topics, topology.broker.max_payload, live_acl(self.live))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """One transport of one controller, and what serves those below it, where that is anything."""

    transport: FailoverMember
    ingress: Ingress | None = None


class TransportFactory(Protocol):
    """Builds one transport; stateless."""

    def preload(self) -> None:
        """Import, before processes are forked, what the transport needs."""

    def build(self, wiring: Wiring) -> Wired | None:
        """Return the transport of one controller, not yet started; None where it has none."""


def find(names: Iterable[str]) -> list[TransportFacts]:
    """Return the facts of each transport; OperationError that names one that is not registered."""
    found = []
    for name in names:
        if name not in FACTS:
            known = ", ".join(FACTS)
            raise OperationError(f"fallbacks: {name!r} is not a transport (known: {known})")
        found.append(FACTS[name])
    return found


def factory(facts: TransportFacts) -> TransportFactory:
    """Return the factory of a transport; its module is imported."""
    return cast("TransportFactory", import_module(facts.module).TRANSPORT)
