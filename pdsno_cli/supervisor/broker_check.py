"""Checks a declared broker, before anything is started, for what would keep a run from working.

Two properties need a connection: whether another run uses the same controller ids under the same
topic root, and whether topic levels arrive unchanged. NATS and RabbitMQ map ``.`` to ``/``, so that
every controller is connected and no message reaches its subscribers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import NullListener
from pdsno_cli.model.errors import BrokerError, OperationError
from pdsno_cli.model.printable import shown
from pdsno_cli.runtime.claim import read_status
from pdsno_cli.runtime.mqtt_wiring import probe_transport

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_ANSWER = 2.0  # seconds for the broker to accept the client, and to deliver its own message
_LONGEST = 20.0  # seconds at most to wait for a heartbeat, where a retained status is "alive"
_BEATS = 1.5  # heartbeat intervals to wait for one
_DOUBTFUL = ". "  # characters that some brokers do not keep in a level


def check_broker(
    topology: Topology, access: BrokerAccess, codec: Codec, announce: Callable[[str], None]
) -> None:
    """Return if a run may start; raises OperationError if not.

    A broker that denies the check passes. Waits for heartbeats only if a retained status of one of
    these ids is "alive": a crashed run leaves one, too.
    """
    level = _doubtful_level(topology)
    probe = _Probe(topology, codec, f"pdsno-probe/{os.urandom(6).hex()}", level)
    transport = probe_transport(topology, access, (topology.topics.status("+"), probe.filter))
    probe.publish = lambda topic: transport.publish(topic, b"probe", qos=1, retain=False)
    transport.start(probe)
    try:
        probe.seen.wait(_ANSWER)
        if level is not None and probe.plain_came:
            _require_levels(probe, level, access)
        if probe.alive:
            name = min(probe.alive)
            beat = max(probe.beats.values())
            wait = min(_BEATS * beat + 1.0, _LONGEST)
            announce(
                f"the broker retains a live status of {name} ({probe.alive[name]}): waiting up to "
                f"{wait:.0f} s for a heartbeat"
            )
            probe.beating.wait(wait)
        if probe.beating.is_set():
            name, owner = probe.found
            raise OperationError(
                f"another run uses topic root {topology.topics.root!r} and {name} on broker "
                f"{access.addresses[0]}: {owner}; stop that run, or set another topics.root"
            )
    finally:
        transport.stop()


def _require_levels(probe: _Probe, level: str, access: BrokerAccess) -> None:
    """Raise BrokerError unless the doubtful level came back unchanged."""
    if probe.dotted.wait(_ANSWER) and probe.came_as == probe.sent_as:
        return
    how = f"delivers it as {probe.came_as!r}" if probe.came_as else "does not deliver it"
    raise BrokerError(
        f"broker {access.addresses[0]}: it does not keep {level!r} as one level of a topic, like NATS "
        f"and RabbitMQ ({how}): choose ids, regions and a root without '.' and ' '"
    )


def _doubtful_level(topology: Topology) -> str | None:
    """Return an id, a region or a level of the root that some brokers change."""
    levels = (*topology.topics.root.split("/"), *topology.controllers, *topology.regions)
    return next((level for level in levels if any(c in level for c in _DOUBTFUL)), None)


class _Probe(NullListener):
    """Listens on the broker and records what arrives; the transport's thread calls ``on_`` methods."""

    def __init__(self, topology: Topology, codec: Codec, root: str, level: str | None) -> None:
        self._topology = topology
        self._codec = codec
        self._plain = f"{root}/plain"
        self.sent_as = "" if level is None else f"{root}/{level}/x"
        self.filter = f"{root}/#"
        self.publish: Callable[[str], bool] = lambda _: False
        self.seen = threading.Event()  # all retained messages came, or none will
        self.plain_came = False
        self.dotted = threading.Event()
        self.came_as = ""
        self.alive: dict[str, str] = {}  # by id, the process of the retained status
        self.beats: dict[str, float] = {}  # by id, seconds between heartbeats
        self.beating = threading.Event()
        self.found = ("", "")

    def on_up(self, connection: int, session_present: bool) -> None:
        if connection == 1:
            self.publish(self._plain)

    def on_down(self, loss: Loss) -> None:
        self.seen.set()
        self.dotted.set()

    def on_alarm(self, alarm: Alarm) -> None:
        self.seen.set()

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        topic = arrival.topic
        if topic == self._plain:  # after every retained message
            self.plain_came = True
            if self.sent_as:
                self.publish(self.sent_as)
            self.seen.set()
        elif topic.startswith(self.filter[:-1]):
            self.came_as = topic
            self.dotted.set()
        else:
            self._status(arrival)

    def _status(self, arrival: Arrival) -> None:
        name = arrival.topic.removeprefix(self._topology.topics.status(""))
        spec = self._topology.controllers.get(name)
        process = read_status(self._codec, arrival.topic, arrival.data)
        if spec is None or process is None:
            return
        owner = shown(process.label) or "an unknown process"
        if arrival.retained:
            self.alive[name] = owner
            self.beats[name] = process.heartbeat or spec.heartbeat
        else:
            self.found = name, owner
            self.beating.set()
