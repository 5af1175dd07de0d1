"""Builds a controller's failover transport from the registry of transports."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.topics import CLASSES
from pdsno_cli.model.transports import TRANSPORTS
from pdsno_cli.runtime.transport_wiring import Wiring, factory, find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pdsno_cli.delivery.live_topology import LiveTopology
    from pdsno_cli.messaging.bus import Bus
    from pdsno_cli.model.transports import TransportFacts
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.runtime.transport_wiring import Wired
    from pdsno_cli.spec.topology import Topology


def failover_transport(
    controller_id: str,
    epoch: int,
    *,
    live: LiveTopology,
    key: bytes,
    access: BrokerAccess | None,
    state: StateDir | None = None,
    source: str | None = None,
    bus: Bus | None = None,
) -> FailoverTransport:
    """Return the failover transport of one controller, not yet started.

    It runs in a process of its own unless ``bus`` is given, which it then shares with the others;
    the other arguments are those of ``Wiring``. OperationError when the chain names something that
    is not a transport, or nothing that works here.
    """

    def has_other_up(name: str) -> bool:
        return made.has_other_up(name)

    topology = live.topology
    wiring = Wiring(
        controller_id=controller_id,
        epoch=epoch,
        live=live,
        key=key,
        access=access,
        state=state,
        bus=bus,
        source=source,
        has_other_up=has_other_up,
    )
    chains = {name: topology.chain(name) for name in CLASSES}
    named = dict.fromkeys(
        (*topology.fallbacks, *(name for item in chains.values() for name in item))
    )
    wired = _build(wiring, find(named))
    orders = {
        name: tuple(item for item in chain if item in wired) for name, chain in chains.items()
    }
    if not all(orders.values()):  # a class without any; between processes that is a finding of lint
        last = _build(wiring, [facts for facts in TRANSPORTS if facts.last_resort])
        wired |= last
        orders = {name: order or tuple(last) for name, order in orders.items()}
    if not wired:
        raise OperationError(f"fallbacks: nothing of {', '.join(named)} works between processes")
    preferred = {order[0] for order in orders.values() if order}
    made = FailoverTransport(
        transports={name: item.transport for name, item in wired.items()},
        order=_by_topic(topology, orders),
        ingresses={name: item.ingress for name, item in wired.items() if item.ingress is not None},
        on_demand={facts.name for facts in find(wired) if facts.on_demand} - preferred,
    )
    return made


def _build(wiring: Wiring, transports: list[TransportFacts]) -> dict[str, Wired]:
    """Return by name, best first, those of the transports that the controller can use."""
    shared = wiring.bus is not None
    wired = {}
    for facts in sorted(transports, key=lambda facts: facts.last_resort):
        if facts.within_process if shared else facts.between_processes:
            made = factory(facts).build(wiring)
            if made is not None:
                wired[facts.name] = made
    return wired


def _by_topic(
    topology: Topology, orders: Mapping[str, tuple[str, ...]]
) -> Callable[[str], tuple[str, ...]]:
    @lru_cache(maxsize=1_000)
    def order(topic: str) -> tuple[str, ...]:
        item = topology.topics.class_of(topic)
        return () if item is None else orders[item.name]

    return order
