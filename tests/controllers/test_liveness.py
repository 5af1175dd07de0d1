from __future__ import annotations

from pdsno_cli.controllers.liveness import is_silent, update
from pdsno_cli.model.messages import Status


def status(state, *, connection=1, heartbeat=5.0):
    return Status(
        state=state, role="local", region="r1", connection=connection, heartbeat=heartbeat
    )


def born(*, epoch=10, connection=1, seq=1, now=100.0):
    peer, verdict = update(
        None, status("birth", connection=connection), epoch=epoch, seq=seq, now=now
    )
    assert verdict == "up"
    return peer


def test_update_of_a_death_of_the_current_connection_takes_the_peer_down():
    peer, verdict = update(born(), status("death"), epoch=10, seq=0, now=101)
    assert verdict == "down"
    assert not peer.alive


def test_update_of_a_will_that_arrives_after_the_next_birth_is_stale():
    peer, _ = update(born(), status("birth", connection=2), epoch=10, seq=5, now=101)
    after, verdict = update(peer, status("death", connection=1), epoch=10, seq=0, now=102)
    assert verdict == "stale"
    assert after.alive


def test_update_of_a_will_of_an_earlier_epoch_is_stale():
    after, verdict = update(born(epoch=11), status("death"), epoch=10, seq=0, now=101)
    assert verdict == "stale"
    assert after.alive


def test_update_of_a_status_that_came_before_is_stale():
    peer, _ = update(born(), status("heartbeat"), epoch=10, seq=2, now=101)
    again, verdict = update(peer, status("heartbeat"), epoch=10, seq=2, now=200)
    assert verdict == "stale"
    assert again.seen == 101


def test_update_of_a_higher_epoch_of_a_living_peer_is_a_rebirth():
    peer, verdict = update(born(), status("birth"), epoch=12, seq=1, now=103)
    assert verdict == "restarted"
    assert peer.epoch == 12


def test_update_of_a_heartbeat_after_a_death_brings_the_peer_back():
    dead, _ = update(born(), status("death"), epoch=10, seq=0, now=101)
    peer, verdict = update(dead, status("heartbeat"), epoch=10, seq=7, now=102)
    assert verdict == "up"
    assert peer.alive


def test_silent_peer_is_judged_after_three_heartbeats_and_not_before():
    peer = born(now=100.0)
    assert not is_silent(peer, 114.9)
    assert is_silent(peer, 115.0)


def test_silent_dead_peer_is_not_judged_twice():
    dead, _ = update(born(), status("death"), epoch=10, seq=0, now=101)
    assert not is_silent(dead, 1000)
