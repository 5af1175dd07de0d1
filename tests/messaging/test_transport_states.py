"""The recorded state of each transport."""

from __future__ import annotations

import pytest

from pdsno_cli.messaging import transport_states
from pdsno_cli.messaging.transport import Loss
from pdsno_cli.messaging.transport_states import TransportStates


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def time(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(transport_states, "time", made)
    return made


def test_since_is_the_time_of_the_last_change_and_not_of_a_repetition(clock):
    states = TransportStates()
    states.down("mqtt", Loss(reason="refused", retry_in=5))
    clock.now = 105
    states.down("mqtt", Loss(reason="no answer", retry_in=None))
    (state,) = states.ordered(["mqtt"]).values()
    assert (state.up, state.since, state.reason, state.next_try) == (False, 100, "no answer", None)
    clock.now = 110
    states.up("mqtt")
    (state,) = states.ordered(["mqtt"]).values()
    assert (state.up, state.since, state.reason, state.next_try) == (True, 110, None, None)


def test_shunned_transport_has_a_reason_until_it_carries(clock):
    states = TransportStates()
    states.up("mqtt")
    clock.now = 101
    states.shunned("mqtt", "no acknowledgement", 20)
    state = states.ordered(["mqtt"])["mqtt"]
    assert (state.up, state.reason, state.next_try) == (True, "no acknowledgement", 121)
    states.carries("mqtt")
    assert states.ordered(["mqtt"])["mqtt"].reason is None


def test_lost_transport_is_not_marked_as_shunned(clock):
    states = TransportStates()
    states.down("mqtt", Loss(reason="refused", retry_in=1))
    states.shunned("mqtt", "no acknowledgement", 20)
    assert states.ordered(["mqtt"])["mqtt"].reason == "refused"


def test_states_are_in_the_given_order_without_those_forgotten():
    states = TransportStates()
    for name in ("http", "mqtt", "bus"):
        states.up(name)
    states.forget("bus")
    assert list(states.ordered(["mqtt", "http", "bus"])) == ["mqtt", "http"]
