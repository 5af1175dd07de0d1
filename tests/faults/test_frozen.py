"""Processes are stopped without ending: a frozen broker, a frozen regional controller."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest

from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, KEEPALIVE, SEED
from tests.faults.results import record

SLACK = 0 if FULL else 5.0  # seconds: the quick form shares the machine with other tests
pytestmark = [pytest.mark.alone, pytest.mark.timeout(3600 if FULL else 120)]


@contextmanager
def frozen(pid: int):
    """Stop a process for the length of the block; gives the time at which that was."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield time.time()
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", BROKERS)
def test_broker_frozen_is_noticed_and_senders_go_on_over_http(arena, kind):
    freezes, rate = ((5, 30), 500) if FULL else ((5,), 200)
    reports = int(rate * (sum(freezes) + 10 * len(freezes) - 8))
    drill = arena(kind)
    drill.start_broker()
    drill.start_regional()
    field = drill.start_field(reports, rate)
    count = len(drill.names)
    noticed, on_http, reported = [], [], []

    def seen(text: str, since: float) -> list[float]:
        what = f"{count} times {text!r} ({drill.log('field')})"
        return until(
            lambda: len(at := drill.logged("field", text, since)) >= count and at, what, 60
        )

    until(lambda: drill.progress() >= rate, "the first reports")
    for seconds in freezes:
        with frozen(drill.broker.pid) as since:
            noticed.append(seen("silent for longer", since)[count - 1])
            on_http.append(seen("http is active now", since)[count - 1])
            drill.reported()
            reported.append(time.time() - since)
            time.sleep(max(since + seconds - time.time(), 0))  # the length of the fault itself
        thawed = time.time()
        if seconds != freezes[-1]:
            seen("mqtt is active now", thawed)
    drill.sent(field, 300)
    drained = drill.drained(60)
    verdict = drill.judge()
    record("broker frozen", broker=kind, seed=SEED, seconds=list(freezes), accepted=verdict.accepted,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           noticed=round(max(noticed), 2), on_http=round(max(on_http), 2),
           reported=round(max(reported), 2), drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert max(noticed) <= 1.5 * KEEPALIVE + SLACK
    assert all(
        after - before <= 2.0 + SLACK for before, after in zip(noticed, on_http, strict=True)
    )
    drill.audit()


# What each broker is made to drop: Mosquitto has small limits; the embedded one, which keeps 4 MiB,
# more senders, each of which has a window of messages on its way.
@pytest.mark.parametrize(
    ("kind", "senders", "reports", "rate"),
    [("mosquitto", 4, 40_000 if FULL else 1600, 2000 if FULL else 500),
     ("embedded", 40, 40_000 if FULL else 8000, 2000)],
)  # fmt: skip
def test_regional_frozen_while_more_flows_than_the_broker_queues(
    arena, kind, senders, reports, rate
):
    drill = arena(
        kind, senders=senders, lines=("max_queued_messages 50", "max_inflight_messages 20")
    )
    drill.start_broker()
    regional = drill.start_regional()
    # Senders whose first report nobody heard would send less at once than brokers keep.
    until(lambda: drill.logged("rc", "mqtt is active now", 0), "the regional's connection")
    field = drill.start_field(reports, rate)
    until(lambda: drill.progress() >= rate / 5, "the first reports")
    with frozen(regional.pid):
        drill.sent(field, 300)
        held = reports - drill.progress()
    thawed = time.time()
    seconds = drill.drained(60)
    gaps = [drill.logged("rc", f"/{name}: messages after", thawed) for name in drill.names]
    noticed = max((times[0] for times in gaps if times), default=None)  # by the last stream to be
    verdict = drill.judge()
    record("regional frozen", broker=kind, seed=SEED, accepted=verdict.accepted, held=held,
           lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           gap_noticed=noticed and round(noticed, 2), repaired=round(seconds, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert seconds <= 30
    if kind == "mosquitto":
        assert "messages are being dropped" in drill.log("mosquitto")
    assert noticed is not None
    assert noticed <= 5 + SLACK
    drill.audit()
