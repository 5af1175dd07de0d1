"""1,000 local controllers on one machine: time to ready, beside half as many."""

from __future__ import annotations

import time

import pytest

from tests.e2e.conftest import Run

pytestmark = pytest.mark.bench

READY = 25.0  # seconds from the command to the last controller's readiness, on two cores
LINEAR = 1.5  # at most so many times the seconds a controller that half as many take
TOPOLOGY = """\
name: thousand
fallbacks: [mqtt]
defaults: {{heartbeat: 30s, discovery: {{interval: 10m, protocols: [icmp]}}}}
regions: {{r: {{}}}}
controllers:
  gc: {{role: global}}
  rc: {{role: regional, region: r}}
  lc_[0001:{count:04d}]: {{role: local, region: r, discovery: {{targets: {{split: 127.88.0.0/16, into: 28}}}}}}
"""


def seconds_to_ready(folder, count: int) -> float:
    file = folder / f"{count}.yaml"
    file.write_text(TOPOLOGY.format(count=count))
    began = time.monotonic()
    run = Run("up", str(file), "--state-dir", str(folder / f"state-{count}"))
    try:
        run.ready(240)
        seconds = time.monotonic() - began
        run.interrupt()
        assert run.end(60) == 0
    finally:
        run.clean_up()
    return seconds


def test_a_thousand_locals_are_ready_in_time_that_grows_with_their_number(tmp_path):
    half, whole = (seconds_to_ready(tmp_path, count) for count in (500, 1000))
    print(f"\n500 locals: {half:.1f} s, 1,000: {whole:.1f} s, {whole / half:.2f} times")  # noqa: T201
    assert whole <= READY
    assert whole / half <= 2 * LINEAR
