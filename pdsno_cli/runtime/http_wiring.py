"""Builds the HTTP transport and ingress of a controller, with the filters of each receiver."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import children, filters
from pdsno_cli.messaging.http_challenge import Identity, Nonces
from pdsno_cli.messaging.http_client import HttpClient
from pdsno_cli.messaging.http_sender import HttpReceiver
from pdsno_cli.messaging.http_server import LOOPBACK, HttpIngress, HttpServer, split
from pdsno_cli.messaging.http_wire import body_limit
from pdsno_cli.messaging.poll_queues import PollClient, PollQueues
from pdsno_cli.messaging.signing import Signer
from pdsno_cli.model.messages import DiscoveryReport, Envelope, Event, Status
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL, matches
from pdsno_cli.runtime.transport_wiring import TransportFactory, Wired, Wiring
from pdsno_cli.spec.topology import Controller

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.live_topology import LiveTopology
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_OF_A_LOCAL = (Status, DiscoveryReport, Event)  # what local controllers send, and names a region


class HttpFactory:
    """Implements ``TransportFactory``."""

    def preload(self) -> None:
        """Import the client and the server.

        Controllers that lose their broker together would else all import at once, when time matters.
        """
        from pdsno_cli.messaging import http_sender, http_server

        http_sender.preload()
        http_server.preload()

    def build(self, wiring: Wiring) -> Wired | None:
        """Return a client of the parents, and the ingress of a parent; None within one process."""
        topology, state, spec = wiring.topology, wiring.state, wiring.spec
        if state is None:
            return None
        signer = Signer(wiring.key)
        identity = Identity(controller_id=spec.controller_id, signer=signer)
        host = wiring.source or LOOPBACK
        return Wired(
            transport=HttpClient(
                _receivers(topology, state, spec), identity=identity, source=wiring.source
            ),
            ingress=_ingress(
                wiring.live, state, spec, wiring.epoch, codec=wiring.codec, signer=signer, host=host
            ),
        )


TRANSPORT: TransportFactory = HttpFactory()


def _receivers(topology: Topology, state: StateDir, spec: Controller) -> list[HttpReceiver]:
    """Return the receivers of this controller's messages: its parents, and the global one for events."""
    if spec.role is Role.GLOBAL:
        return []
    above = list(topology.of_role(Role.GLOBAL))
    if spec.role is Role.LOCAL:
        above = [*topology.of_role(Role.REGIONAL, spec.region), *above]
    status = topology.topics.status(spec.controller_id)
    found = []
    for receiver in above:
        wanted = filters(topology, receiver)
        found.append(
            HttpReceiver(
                controller_id=receiver.controller_id,
                filters=wanted,
                address=_address(state, receiver),
                parent=any(matches(item, status) for item in wanted),
            )
        )
    return found


def _address(state: StateDir, receiver: Controller) -> Callable[[], str | None]:
    """Return what looks up a receiver's address: the declared one, or the one in its state file."""

    def read() -> str | None:
        if receiver.address is not None:
            return receiver.address
        try:
            return state.http(receiver.controller_id).read_text("ascii").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    return read


def _live_admission(
    live: LiveTopology, controller_id: str
) -> Callable[[Envelope], PollClient | None]:
    """Return the admission of the topology that is in force at the time of each call."""

    def of(topology: Topology) -> Callable[[Envelope], PollClient | None]:
        return _admission(topology, topology.controllers[controller_id])

    known = live.topology, of(live.topology)

    def admit(envelope: Envelope) -> PollClient | None:
        nonlocal known
        if known[0] is not live.topology:
            known = live.topology, of(live.topology)
        return known[1](envelope)

    return admit


def _admission(topology: Topology, spec: Controller) -> Callable[[Envelope], PollClient | None]:
    """Return what admits the sender of a message to polling: None unless it is a child of ``spec``.

    The file need not declare it: a signed message of a local controller may name the region as its
    own, or, to the global controller, any declared region.
    """
    below = {child.controller_id: child for child in children(topology, spec)}
    if spec.role is Role.GLOBAL:  # it receives the events of all controllers
        below |= {item.controller_id: item for item in topology.of_role(Role.LOCAL)}
    regions = set(topology.regions) if spec.region is None else {spec.region}

    @lru_cache(maxsize=10_000)
    def poll_client(child: str, region: str | None) -> PollClient:
        one = below.get(child) or Controller(
            controller_id=child, key=child, role=Role.LOCAL, region=region
        )
        return PollClient(filters=filters(topology, one), heartbeat=one.heartbeat)

    def admit(envelope: Envelope) -> PollClient | None:
        sender, payload = envelope.sender_id, envelope.payload
        if sender in below:
            return poll_client(sender, None)
        if sender in topology.controllers or not isinstance(payload, _OF_A_LOCAL):
            return None
        if isinstance(payload, Status) and payload.role != Role.LOCAL.value:
            return None
        return poll_client(sender, payload.region) if payload.region in regions else None

    return admit


def _ingress(
    live: LiveTopology,
    state: StateDir,
    spec: Controller,
    epoch: int,
    *,
    codec: Codec,
    signer: Signer,
    host: str,
) -> HttpIngress | None:
    """Return the ingress on the declared address, else on a free port of ``host``; None for locals."""
    if spec.role is Role.LOCAL:
        return None
    topology = live.topology
    topics, own = topology.topics, filters(topology, spec)

    def receives(topic: str) -> bool:
        item = topics.class_of(topic)
        # From any sender: it may be a child that this file does not declare.
        return (item is not None and item.name == "status") or any(matches(f, topic) for f in own)

    def acknowledges(topic: str) -> bool:
        item = topics.class_of(topic)
        return item is not None and item.durable

    host, port = (host, 0) if spec.address is None else split(spec.address)
    return HttpIngress(
        controller_id=spec.controller_id,
        epoch=epoch,
        server=HttpServer(
            host=host,
            port=port,
            address_file=state.http(spec.controller_id) if spec.address is None else None,
        ),
        queues=PollQueues(
            open_message=codec.open,
            admit=_live_admission(live, spec.controller_id),
            relayed=frozenset(() if spec.role is Role.GLOBAL else {topics.policy(GLOBAL)}),
        ),
        nonces=Nonces(spec.controller_id, signer),
        receives=receives,
        acknowledges=acknowledges,
        max_body=body_limit(topology.broker.max_payload),
    )
