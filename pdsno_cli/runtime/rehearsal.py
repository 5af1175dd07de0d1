"""Does once, before forking, what every child does first.

What libraries build at first use (compiled statements, decoders, patterns), and what Python notes
in code that it runs often, is then shared by all children instead of being held in memory by each.
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
from pdsno_cli.runtime.authority import entitled
from pdsno_cli.runtime.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pdsno_cli.messaging.transport import Listener, Publication
    from pdsno_cli.model.messages import Payload
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.spec.topology import Controller, Topology

_KEY = bytes(32)
_TIMES = 10  # Python 3.11 adapts code that ran eight times


def rehearse(topology: Topology) -> None:
    """Exercise the store, and a local controller from birth to farewell, with nobody around.

    Its store is one in memory, its one transport takes everything and goes nowhere.
    """
    preload()
    above = topology.of_role(Role.GLOBAL)
    locals_ = [spec for spec in topology.of_role(Role.LOCAL) if _parent(topology, spec)]
    if not above or not locals_:
        return
    # Nothing is to be probed, however long it takes.
    spec = replace(locals_[0], discovery=replace(locals_[0].discovery, targets=()))
    name, parent = spec.controller_id, _parent(topology, spec) or above[0]
    receivers = {"discovery_report": parent.controller_id, "event": above[0].controller_id}
    stage = _Stage(topology, name, receivers)
    node = Node(
        topology=replace(topology, controllers={**topology.controllers, name: spec}),
        controller_id=name,
        key=_KEY,
        store=":memory:",
        connect=lambda *_: FailoverTransport(transports={"mqtt": stage}, order=lambda _: ("mqtt",)),
        watcher=stage,
    )
    stage.script = _script(topology, spec, above[0])
    stage.over = node.stop
    logging.disable()
    try:
        with suppress(PdsnoError):  # what fails here fails in the child, which says so
            node.run()
    finally:
        logging.disable(logging.NOTSET)


def _parent(topology: Topology, spec: Controller) -> Controller | None:
    return next(iter(topology.of_role(Role.REGIONAL, spec.region)), None)


def _script(topology: Topology, spec: Controller, top: Controller) -> Iterator[tuple[str, bytes]]:
    """Yield what a local controller hears: policies, and requests for everything."""
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
    return Codec(_KEY, topology.topics, topology.broker.max_payload, entitled(topology))


class _Stage(FailoverMember):
    """The transport of the rehearsal, and its watcher: says what is in the script, then ends it.

    What is sent durably is acknowledged by its receiver.
    """

    def __init__(self, topology: Topology, name: str, receivers: Mapping[str, str]) -> None:
        self.script: Iterator[tuple[str, bytes]] = iter(())
        self.over = lambda: None
        self._codec = _codec(topology)
        self._ack = topology.topics.ack(name)
        self._receivers = receivers  # ids, by the type of message
        self._acks = 0
        self._listener: Listener | None = None

    def start(self, listener: Listener) -> None:
        """Be connected at once, and say it all."""
        self._listener = listener
        listener.on_up(1, False)
        for topic, data in self.script:
            listener.on_message(Arrival(topic, data, qos=1))
        listener.on_message(Arrival("", b"", qos=1, release=self.over))

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Take everything, and acknowledge what its receiver would commit."""
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
        """Nobody else publishes."""

    def reconnect(self, reason: str) -> None:
        """Nothing to do: there is no connection that could be stuck."""

    def stop(self, farewell: Publication | None = None) -> None:
        """Nothing runs."""

    def notice(self, notice: Notice) -> None:
        """Let it pass."""
