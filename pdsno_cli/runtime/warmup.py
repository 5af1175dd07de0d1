"""Warms up before forking: runs once what every child runs first.

What libraries build at first use (compiled statements, decoders, patterns), and how Python adapts
code that it runs often, is then shared by all children instead of being in the memory of each.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.messaging.transport import Arrival, FailoverMember
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.messages import Ack, Command, PolicyDocument
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.nib.preload import preload
from pdsno_cli.runtime.acl import publish_acl
from pdsno_cli.runtime.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pdsno_cli.messaging.transport import Listener, Publication
    from pdsno_cli.model.messages import Payload
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.spec.topology import Controller, Topology

_KEY = bytes(32)
_TIMES = 10  # Python 3.11 adapts code that ran eight times


def warm_up(topology: Topology) -> None:
    """Run a local controller from birth to farewell, with a store in memory and a fake transport."""
    preload()
    above = topology.of_role(Role.GLOBAL)
    locals_ = [spec for spec in topology.of_role(Role.LOCAL) if _parent(topology, spec)]
    if not above or not locals_:
        return
    # Probe nothing, however long this takes.
    spec = replace(locals_[0], discovery=replace(locals_[0].discovery, targets=()))
    name, parent = spec.controller_id, _parent(topology, spec) or above[0]
    receivers = {"discovery_report": parent.controller_id, "event": above[0].controller_id}
    transport = _FakeTransport(topology, name, receivers)
    node = Node(
        topology=replace(topology, controllers={**topology.controllers, name: spec}),
        controller_id=name,
        key=_KEY,
        store=":memory:",
        connect=lambda *_: FailoverTransport(
            transports={"mqtt": transport}, order=lambda _: ("mqtt",)
        ),
        watcher=transport,
    )
    transport.inputs = _inputs(topology, spec, above[0])
    transport.on_end = node.stop
    logging.disable()
    try:
        with suppress(PdsnoError):  # what fails here fails in the child, which reports it
            node.run()
    finally:
        logging.disable(logging.NOTSET)


def _parent(topology: Topology, spec: Controller) -> Controller | None:
    return next(iter(topology.of_role(Role.REGIONAL, spec.region)), None)


def _inputs(topology: Topology, spec: Controller, top: Controller) -> Iterator[tuple[str, bytes]]:
    """Yield messages to a local controller: policies, and requests for a resend."""
    topics, name = topology.topics, spec.controller_id
    parent = _parent(topology, spec) or top
    codec = _codec(topology)
    report = topics.stream(topics.discovery(spec.region or "", name))
    for number in range(1, _TIMES + 1):
        lines: tuple[tuple[Controller, str, str, Payload], ...] = (
            (top, "policy", topics.policy(GLOBAL), PolicyDocument(scope=GLOBAL, version=number)),
            (parent, "command", topics.command(name), Command(order="resend", stream=report)),
        )
        for sender, kind, topic, payload in lines:
            yield (
                topic,
                codec.seal(
                    topic=topic,
                    sender_id=sender.controller_id,
                    message_type=kind,
                    payload=payload,
                    epoch=1,
                    seq=number,
                ),
            )


def _codec(topology: Topology) -> Codec:
    return Codec(_KEY, topology.topics, topology.broker.max_payload, publish_acl(topology))


class _FakeTransport(FailoverMember):
    """A transport, and a watcher: delivers ``inputs``, then calls ``on_end``.

    It acknowledges the durable messages that it accepts.
    """

    def __init__(self, topology: Topology, name: str, receivers: Mapping[str, str]) -> None:
        self.inputs: Iterator[tuple[str, bytes]] = iter(())
        self.on_end = lambda: None
        self._codec = _codec(topology)
        self._ack = topology.topics.ack(name)
        self._receivers = receivers  # ids, by the type of message
        self._acks = 0
        self._listener: Listener | None = None

    def start(self, listener: Listener) -> None:
        """Connect at once, and deliver every input."""
        self._listener = listener
        listener.on_up(1, False)
        for topic, data in self.inputs:
            listener.on_message(Arrival(topic, data, qos=1))
        listener.on_message(Arrival("", b"", qos=1, release=self.on_end))

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Accept everything, and acknowledge what its receiver would commit."""
        message = self._codec.open(topic, data)
        receiver = self._receivers.get(message.message_type)
        if receiver is not None and self._listener is not None:
            self._acks += 1
            payload = Ack(stream=message.stream, epoch=message.epoch, seq=message.seq)
            sealed = self._codec.seal(
                topic=self._ack,
                sender_id=receiver,
                message_type="ack",
                payload=payload,
                epoch=1,
                seq=self._acks,
            )
            self._listener.on_message(Arrival(self._ack, sealed, qos=1))
        return True

    def subscribe(self, topic_filter: str) -> None:
        """Do nothing: nobody else publishes."""

    def reconnect(self, reason: str) -> None:
        """Do nothing: there is no connection."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Do nothing: no thread runs."""

    def notice(self, notice: Notice) -> None:
        """Ignore it."""
