"""Processes are killed: quick forms here, full ones by make soak; the truth is kept outside pdsno."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import pytest

from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)


@pytest.mark.parametrize("kind", BROKERS)
def test_broker_killed_and_wiped_at_random_points(arena, kind):
    kills, reports, rate = (10, 100_000, 1500) if FULL else (2, 1500, 500)
    drill = arena(kind)
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, rate)
    rng = random.Random(SEED)
    points = sorted(rng.uniform(0.05, 0.95) * reports for _ in range(kills))
    for point in points:
        until(lambda point=point: drill.progress() >= point, f"{point:.0f} reports", 300)
        drill.kill_broker()
        time.sleep(rng.uniform(0.1, 2.0))
        drill.start_broker()
    drill.sent(field, 600)
    seconds = drill.drained(60)
    verdict = drill.judge()
    record("broker killed", broker=kind, seed=SEED, kills=kills, accepted=verdict.accepted,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           drained=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert seconds <= 30
    drill.audit()


@pytest.mark.parametrize("kind", BROKERS)
def test_regional_killed_between_receive_commit_puback_and_ack(arena, kind):
    deaths, reports, rate = (1000, 120_000, 150) if FULL else (6, 1000, 300)
    drill = arena(kind)
    drill.start_broker()
    doomed = drill.start_doomed_regional(deaths)
    died = []
    reader = threading.Thread(target=lambda: died.extend(doomed.stdout), daemon=True)
    reader.start()
    field = drill.start_field(reports, rate)
    drill.sent(field, 3000)
    seconds = drill.drained(600 if FULL else 120)
    doomed.kill()
    reader.join(5)
    verdict = drill.judge()
    record("regional killed", broker=kind, seed=SEED, deaths=dict(Counter(place.strip() for place in died)),
           accepted=verdict.accepted, lost=verdict.lost, twice=verdict.twice,
           wrong=verdict.wrong, drained=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert len(died) == deaths if FULL else len(died) >= deaths / 2
    drill.audit()


@pytest.mark.parametrize("kind", BROKERS)
def test_local_killed_after_its_report_was_accepted(arena, kind):
    deaths, reports = (1000, 60_000) if FULL else (15, 1500)
    drill = arena(kind)
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, 1500 if FULL else 500, deaths=deaths)
    died = int(drill.told(field, 1800).removeprefix("died "))
    drill.sent(field, 600)
    seconds = drill.drained(300)
    verdict = drill.judge()
    record("local killed", broker=kind, seed=SEED, deaths=died, accepted=verdict.accepted,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           drained=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert died == deaths
    drill.audit()
