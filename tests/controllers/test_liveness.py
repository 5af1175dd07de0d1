from __future__ import annotations

from pdsno_cli.controllers.liveness import hear, silent
from pdsno_cli.model.messages import Status


def status(state, *, connection=1, heartbeat=5.0):
    return Status(
        state=state, role="local", region="r1", connection=connection, heartbeat=heartbeat
    )


def born(*, epoch=10, connection=1, seq=1, now=100.0):
    peer, verdict = hear(
        None, status("birth", connection=connection), epoch=epoch, seq=seq, now=now
    )
    assert verdict == "up"
    return peer


def test_hear_death_of_the_current_connection_takes_the_peer_down():
    peer, verdict = hear(born(), status("death"), epoch=10, seq=0, now=101)
    assert verdict == "down"
    assert not peer.alive


def test_hear_will_that_arrives_after_the_next_birth_is_stale():
    peer, _ = hear(born(), status("birth", connection=2), epoch=10, seq=5, now=101)
    after, verdict = hear(peer, status("death", connection=1), epoch=10, seq=0, now=102)
    assert verdict == "stale"
    assert after.alive


def test_hear_will_of_an_earlier_epoch_is_stale():
    after, verdict = hear(born(epoch=11), status("death"), epoch=10, seq=0, now=101)
    assert verdict == "stale"
    assert after.alive


def test_hear_status_that_was_heard_before_is_stale():
    peer, _ = hear(born(), status("heartbeat"), epoch=10, seq=2, now=101)
    again, verdict = hear(peer, status("heartbeat"), epoch=10, seq=2, now=200)
    assert verdict == "stale"
    assert again.heard == 101


def test_hear_higher_epoch_of_a_living_peer_is_a_rebirth():
    peer, verdict = hear(born(), status("birth"), epoch=12, seq=1, now=103)
    assert verdict == "reborn"
    assert peer.epoch == 12


def test_hear_heartbeat_after_a_death_brings_the_peer_back():
    dead, _ = hear(born(), status("death"), epoch=10, seq=0, now=101)
    peer, verdict = hear(dead, status("heartbeat"), epoch=10, seq=7, now=102)
    assert verdict == "up"
    assert peer.alive


def test_silent_peer_is_judged_after_three_heartbeats_and_not_before():
    peer = born(now=100.0)
    assert not silent(peer, 114.9)
    assert silent(peer, 115.0)


def test_silent_dead_peer_is_not_judged_twice():
    dead, _ = hear(born(), status("death"), epoch=10, seq=0, now=101)
    assert not silent(dead, 1000)
