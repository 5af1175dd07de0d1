"""The clock of one sender is an hour ahead, then an hour behind: over a restart, with the same store."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)
HOUR = 3600.0
YEARS = 4 * 365 * 24 * HOUR


@pytest.mark.parametrize("kind", BROKERS)
def test_clock_of_one_sender_jumps_by_an_hour_each_way(arena, kind):
    reports, rate = (100_000, 1000) if FULL else (1200, 500)
    drill = arena(kind)
    drill.start_broker()
    drill.start_regional()
    skewed, *others = drill.names
    field = drill.start_field(reports, rate, senders=others)
    for part, offset in ((0.5, HOUR), (1.0, -HOUR)):
        ahead = drill.start_field(int(reports * part), rate, senders=[skewed], offset=offset)
        drill.sent(ahead, 600)
        if part < 1:  # killed with what is not acknowledged yet
            ahead.kill()
            ahead.wait()
    drill.sent(field, 600)
    seconds = drill.drained(60)
    verdict = drill.judge()
    record("clock off by an hour", broker=kind, seed=SEED, accepted=verdict.accepted,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           drained=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    drill.audit()


@pytest.mark.parametrize("kind", BROKERS)
def test_clock_of_one_sender_is_years_ahead_until_it_is_set(arena, kind):
    reports, rate = (100_000, 1000) if FULL else (1200, 500)
    drill = arena(kind)
    drill.start_broker()
    drill.start_regional()
    skewed, *others = drill.names
    field = drill.start_field(reports, rate, senders=others)
    ahead = drill.start_field(reports // 2, rate, senders=[skewed], offset=YEARS)
    drill.sent(ahead, 600)
    until(lambda: drill.logged("rc", "ahead of this controller's clock", 0.0), "its refusal")
    assert drill.ask("rc", f"SELECT count(*) FROM received WHERE sender = '{skewed}'") == [(0,)]
    ahead.kill()  # nothing of it is committed; its clock is set now
    ahead.wait()
    drill.sent(drill.start_field(reports, rate, senders=[skewed]), 600)
    drill.sent(field, 600)
    seconds = drill.drained(60)
    verdict = drill.judge()
    record("clock years ahead", broker=kind, seed=SEED, accepted=verdict.accepted,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           drained=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    drill.audit()
