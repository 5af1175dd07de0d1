"""Looks on a declared broker, before anything is started, for what would keep a run from working.

Two things that only the broker can tell: whether another run uses the same controller ids under the
same topic root, and whether topic levels arrive as they were sent. NATS and RabbitMQ take ``.`` for
``/``, so that everybody is connected and nobody is heard.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError, OperationError
from pdsno_cli.model.printable import shown
from pdsno_cli.runtime.claim import read_status
from pdsno_cli.runtime.mqtt_wiring import probe_transport

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.messaging.transport import Alarm, Arrival, Loss, Publication
    from pdsno_cli.runtime.mqtt_wiring import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_ANSWER = 2.0  # seconds within which a broker lets us in, and brings back what was published
_LONGEST = 20.0  # seconds to listen for a heartbeat, where a retained status says "alive"
_BEATS = 1.5  # heartbeats to listen for
_DOUBTFUL = ". "  # characters that some brokers do not carry in a level


def check_broker(
    topology: Topology, access: BrokerAccess, codec: Codec, say: Callable[[str], None]
) -> None:
    """Return if a run may start; OperationError says in one line why not.

    A broker that does not let us look is taken as it is. Waits for heartbeats only where somebody
    seems to be alive under our ids: a crash of an earlier run leaves such a trace, too.
    """
    level = _doubtful_level(topology)
    look = _Look(topology, codec, f"pdsno-probe/{os.urandom(6).hex()}", level)
    transport = probe_transport(topology, access, (topology.topics.status("+"), look.filter))
    look.publish = lambda topic: transport.publish(topic, b"probe", qos=1, retain=False)
    transport.start(look)
    try:
        look.seen.wait(_ANSWER)
        if level is not None and look.plain_came:
            _require_levels(look, level, access)
        if look.alive:
            name = min(look.alive)
            beat = max(look.beats.values())
            wait = min(_BEATS * beat + 1.0, _LONGEST)
            say(
                f"the broker says that {name} is alive ({look.alive[name]}): listening for up to "
                f"{wait:.0f} s whether that is so"
            )
            look.beating.wait(wait)
        if look.beating.is_set():
            name, holder = look.found
            raise OperationError(
                f"another run uses topic root {topology.topics.root!r} and {name} on broker "
                f"{access.addresses[0]}: {holder}; end that one, or set another topics.root"
            )
    finally:
        transport.stop()


def _require_levels(look: _Look, level: str, access: BrokerAccess) -> None:
    """Raise BrokerError unless the doubtful level came back as it was sent."""
    if look.dotted.wait(_ANSWER) and look.came_as == look.sent_as:
        return
    how = f"brings it as {look.came_as!r}" if look.came_as else "does not bring it"
    raise BrokerError(
        f"broker {access.addresses[0]}: it does not carry {level!r} as one level of a topic, as NATS "
        f"and RabbitMQ do not ({how}): choose ids, regions and a root without '.' and ' '"
    )


def _doubtful_level(topology: Topology) -> str | None:
    """Return an id, a region or a level of the root that some brokers do not carry."""
    levels = (*topology.topics.root.split("/"), *topology.controllers, *topology.regions)
    return next((level for level in levels if any(c in level for c in _DOUBTFUL)), None)


class _Look:
    """What is seen; the transport's thread calls the ``on_`` methods."""

    def __init__(self, topology: Topology, codec: Codec, root: str, level: str | None) -> None:
        self._topology = topology
        self._codec = codec
        self._plain = f"{root}/plain"
        self.sent_as = "" if level is None else f"{root}/{level}/x"
        self.filter = f"{root}/#"
        self.publish: Callable[[str], bool] = lambda _: False
        self.seen = threading.Event()  # what is retained came, or nothing will
        self.plain_came = False
        self.dotted = threading.Event()
        self.came_as = ""
        self.alive: dict[str, str] = {}  # by id, who says so
        self.beats: dict[str, float] = {}  # seconds between heartbeats
        self.beating = threading.Event()
        self.found = ("", "")

    def will(self, connection: int) -> Publication | None:
        return None

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
        if topic == self._plain:  # it came after all that is retained
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
        holder = shown(process.label) or "an unknown process"
        if arrival.retained:
            self.alive[name] = holder
            self.beats[name] = process.heartbeat or spec.heartbeat
        else:
            self.found = name, holder
            self.beating.set()
