"""Probes the QoS up to which a broker delivers messages as published; some change it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from pdsno_cli.messaging.transport import NullListener
from pdsno_cli.runtime.mqtt_wiring import probe_transport

if TYPE_CHECKING:
    from pdsno_cli.messaging.transport import Arrival, Loss
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_ANSWER = 1.5  # seconds for the broker to deliver the probe's own messages
_LEVELS = (0, 1, 2)


def highest_delivered_qos(topology: Topology, access: BrokerAccess) -> int | None:
    """Return the highest QoS up to which messages arrive as published.

    None if not even 0 and 1 do, or if the broker does not deliver the probe.
    """
    topic = f"pdsno-probe/{os.urandom(6).hex()}"
    transport = probe_transport(topology, access, (f"{topic}/+",), qos=2)
    probe = _Probe()
    try:
        transport.start(probe)
        probe.up.wait(_ANSWER)
        for qos in _LEVELS:
            transport.publish(f"{topic}/{qos}", b"probe", qos=qos, retain=False)
        probe.all.wait(_ANSWER)
    finally:
        transport.stop()
    kept = [qos for qos in _LEVELS if probe.came.get(f"{topic}/{qos}") == qos]
    if kept[:2] != [0, 1]:
        return None
    return kept[-1]


class _Probe(NullListener):
    """Records the QoS of arrivals by topic; the transport's thread calls the ``on_`` methods."""

    def __init__(self) -> None:
        self.up, self.all = threading.Event(), threading.Event()
        self.came: dict[str, int] = {}

    def on_up(self, connection: int, session_present: bool) -> None:
        self.up.set()

    def on_message(self, arrival: Arrival) -> None:
        arrival.release()
        self.came[arrival.topic] = arrival.qos
        if len(self.came) == len(_LEVELS):
            self.all.set()

    def on_down(self, loss: Loss) -> None:
        self.up.set()
        self.all.set()
