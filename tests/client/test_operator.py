"""The operator's session, over the in-process bus, and over a transport that the test drives."""

from __future__ import annotations

import time

import pytest

from pdsno_cli.client import operator as operator_module
from pdsno_cli.client.operator import Operator
from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.messaging.transport import Alarm, Loss
from pdsno_cli.model.errors import BrokerError, OperationError
from pdsno_cli.model.messages import OPERATOR, Command
from tests.messaging.recorder import Recorder
from tests.messaging.samples import KEY
from tests.runtime.test_acl import TOPOLOGY

DISCOVER = Command(order="discover")
TOPIC = TOPOLOGY.topics.command("lc1")


class Transport:
    """A transport whose events the test makes; it accepts what it is told to."""

    def __init__(self):
        self.accepts = []
        self.events = []

    def start(self, listener):
        self.listener = listener
        for event, arguments in self.events:
            getattr(listener, event)(*arguments)

    def publish(self, topic, data, *, qos, retain, expiry=None):
        return self.accepts.pop(0) if self.accepts else False

    def stop(self, farewell=None):
        self.stopped = True


@pytest.fixture
def trouble():
    return []


def session(transport, trouble):
    return Operator(topology=TOPOLOGY, key=KEY, transport=transport, on_trouble=trouble.append)


def test_an_order_is_signed_and_received_by_its_controller(trouble):
    bus, recorder = Bus(), Recorder()
    controller = BusTransport(bus, "lc1", (TOPIC,))
    controller.start(recorder)
    operator = session(BusTransport(bus, "operator-1", ("#",)), trouble)
    with operator.connected():
        number = operator.order("lc1", DISCOVER, deadline=time.monotonic() + 10)
        recorder.wait_messages(1)
        ((topic, data, _),) = recorder.messages
        envelope = operator.open(topic, data)
        (own, *_) = operator.messages(time.monotonic() + 0.5)
    controller.stop()
    assert (envelope.sender_id, envelope.payload) == (OPERATOR, DISCOVER)
    assert envelope.message_id == own.message_id == number
    assert trouble == []


def test_messages_leaves_out_what_a_receiver_refuses(trouble):
    bus = Bus()
    stranger = BusTransport(bus, "stranger", ())
    stranger.start(recorder := Recorder())
    recorder.wait_up()
    operator = session(BusTransport(bus, "operator-1", ("#",)), trouble)
    with operator.connected():
        stranger.publish(TOPIC, b"not signed", qos=1, retain=False)
        assert list(operator.messages(time.monotonic() + 0.3)) == []
    stranger.stop()


def test_an_order_that_no_transport_accepts_is_an_error_at_its_deadline(trouble):
    transport = Transport()
    transport.events = [("on_up", (1, False))]
    with session(transport, trouble).connected():
        pass
    operator = session(transport, trouble)
    with (
        operator.connected(),
        pytest.raises(OperationError, match="the order to lc1 could not be sent in time"),
    ):
        operator.order("lc1", DISCOVER, deadline=time.monotonic() + 0.1)
    transport.accepts = [False, True]
    with operator.connected():
        assert operator.order("lc1", DISCOVER, deadline=time.monotonic() + 10)
    assert transport.stopped


def test_a_refused_first_connection_is_an_error(trouble):
    transport = Transport()
    transport.events = [("on_down", (Loss(reason="bad credentials", retry_in=1.0, refused=True),))]
    with (
        pytest.raises(BrokerError, match="bad credentials"),
        session(transport, trouble).connected(),
    ):
        pass


def test_no_connection_within_the_timeout_is_an_error(trouble, monkeypatch):
    monkeypatch.setattr(operator_module, "_TIMEOUT", 0.05)
    with (
        pytest.raises(BrokerError, match="no answer within 0"),
        session(Transport(), trouble).connected(),
    ):
        pass


def test_a_lost_connection_is_reported_once_and_its_return(trouble):
    transport = Transport()
    transport.events = [("on_up", (1, False))]
    loss = Loss(reason="connection reset", retry_in=1.0)
    with session(transport, trouble).connected():
        transport.listener.on_down(loss)
        transport.listener.on_down(loss)
        transport.listener.on_up(2, False)
        transport.listener.on_alarm(Alarm(event="x", text="slow", detail={}))
    assert trouble == ["connection reset", "connected again", "slow"]


def test_a_permanent_loss_ends_the_arrivals(trouble):
    transport = Transport()
    transport.events = [("on_up", (1, False))]
    operator = session(transport, trouble)
    with operator.connected():
        transport.listener.on_down(Loss(reason="the topology went down"))
        with pytest.raises(BrokerError, match="went down"):
            list(operator.arrivals(time.monotonic() + 10))
