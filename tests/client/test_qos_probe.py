from __future__ import annotations

import pytest

from pdsno_cli.client import qos_probe
from pdsno_cli.client.qos_probe import highest_delivered_qos
from pdsno_cli.messaging.transport import Arrival


class Broker:
    """Delivers a message to its publisher at the QoS that ``change`` makes of it, or not at all."""

    def __init__(self, change):
        self._change = change

    def start(self, listener):
        self._listener = listener
        listener.on_up(1, False)

    def publish(self, topic, data, *, qos, retain):
        delivered = self._change(qos)
        if delivered is not None:
            self._listener.on_message(Arrival(topic, data, retain, delivered))
        return True

    def stop(self):
        pass


@pytest.mark.parametrize(
    ("change", "highest"),
    [
        (lambda qos: qos, 2),
        (lambda qos: min(qos, 1), 1),
        (lambda _: 0, None),
        (lambda _: None, None),
        (lambda qos: None if qos == 0 else qos, None),
    ],
)
def test_highest_delivered_qos_is_that_up_to_which_all_arrive_as_published(
    monkeypatch, change, highest
):
    monkeypatch.setattr(qos_probe, "_ANSWER", 0.05)
    monkeypatch.setattr(qos_probe, "probe_transport", lambda *_, **__: Broker(change))
    assert highest_delivered_qos(None, None) == highest
