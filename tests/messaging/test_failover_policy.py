from __future__ import annotations

from pdsno_cli.messaging.failover_policy import (
    DAMPING,
    GRACE,
    HELD,
    LONGEST_DAMPING,
    SHUNNED,
    FailoverPolicy,
)

ABOVE = ("mqtt", "http")


class Play:
    """A policy and a clock."""

    def __init__(self, *order: str) -> None:
        self.now = 100.0
        self.policy = FailoverPolicy(order, self.now)

    def up(self, name: str):
        self.policy.up(name, self.now)
        return self.look()

    def down(self, name: str):
        self.policy.down(name, self.now)
        return self.look()

    def wait(self, seconds: float, above=ABOVE):
        self.now += seconds
        return self.look(above)

    def look(self, above=ABOVE):
        return self.policy.decide(self.now, above=above)


def test_best_transport_is_active_and_the_fallback_stopped():
    play = Play("mqtt", "http")
    assert play.look() == (None, False, None)
    assert play.up("mqtt") == ("mqtt", False, None)


def test_fallback_is_wanted_once_the_best_is_lost_for_the_grace():
    play = Play("mqtt", "http")
    play.up("mqtt")
    decision = play.down("mqtt")
    assert decision == (None, False, play.now + GRACE)
    assert play.wait(GRACE / 2).fallback is False
    assert play.down("mqtt").fallback is False  # tried in vain: it was lost before
    assert play.wait(GRACE / 2) == (None, True, None)
    assert play.up("http") == ("http", True, None)


def test_fallback_is_wanted_when_the_first_attempt_fails():
    play = Play("mqtt", "http")
    play.down("mqtt")
    assert play.wait(GRACE).fallback


def test_best_transport_back_within_the_grace_is_active_immediately():
    play = Play("mqtt", "http")
    play.up("mqtt")
    play.down("mqtt")
    assert play.up("mqtt") == ("mqtt", False, None)


def on_http() -> Play:
    play = Play("mqtt", "http")
    play.up("mqtt")
    play.down("mqtt")
    play.wait(GRACE)
    play.up("http")
    return play


def test_best_transport_is_active_again_only_after_the_damping():
    play = on_http()
    decision = play.up("mqtt")
    assert decision == ("http", True, play.now + DAMPING)
    assert play.wait(DAMPING - 0.1).active == "http"
    assert play.wait(0.2) == ("mqtt", False, None)


def test_best_transport_stays_inactive_while_the_parents_lack_it():
    play = on_http()
    play.up("mqtt")
    decision = play.wait(DAMPING, above=("http",))
    assert decision.active == "http"
    assert decision.next_decision > play.now
    assert play.wait(1, above=None).active == "mqtt"  # nobody is above


def test_best_transport_is_active_immediately_when_the_fallback_is_lost():
    play = on_http()
    play.up("mqtt")
    assert play.down("http").active == "mqtt"


def test_damping_grows_with_every_flap_and_resets_once_a_connection_held():
    play = on_http()
    expected = DAMPING
    for _ in range(6):
        play.up("mqtt")
        assert play.wait(expected - 0.1).active == "http"
        assert play.wait(0.2).active == "mqtt"
        play.wait(HELD / 2)
        assert play.down("mqtt").active == "http"
        expected = min(2 * expected, LONGEST_DAMPING)
    play.up("mqtt")
    assert play.wait(expected).active == "mqtt"
    play.wait(HELD)
    play.down("mqtt")
    play.up("mqtt")
    assert play.wait(DAMPING).active == "mqtt"


def test_loss_of_both_leaves_none_active_until_either_is_up():
    play = on_http()
    assert play.down("http") == (None, True, None)
    assert play.up("http").active == "http"
    play.down("http")
    assert play.up("mqtt") == ("mqtt", False, None)


def test_single_transport_has_no_fallback():
    play = Play("mqtt")
    assert play.down("mqtt") == (None, False, None)
    assert play.wait(100) == (None, False, None)
    assert play.up("mqtt").active == "mqtt"


def test_transport_that_carries_nothing_is_passed_over_longer_each_time():
    play = Play("mqtt", "http")
    play.up("mqtt")
    assert play.policy.shun("mqtt", play.now) == SHUNNED
    # It carries until another link is up.
    assert play.look() == ("mqtt", True, play.now + SHUNNED)
    assert play.up("http").active == "http"
    assert play.wait(SHUNNED - 1).active == "http"
    assert play.wait(2).active == "mqtt"
    assert play.policy.shun("mqtt", play.now) == 2 * SHUNNED
    assert play.look().active == "http"
    play.wait(2 * SHUNNED + HELD + 2 * SHUNNED)
    assert play.policy.shun("mqtt", play.now) == SHUNNED


def test_shunned_transport_is_active_if_no_other_is_up():
    play = on_http()
    play.up("mqtt")
    play.wait(DAMPING + 1)
    play.policy.shun("mqtt", play.now)
    assert play.look().active == "http"
    assert play.down("http").active == "mqtt"
