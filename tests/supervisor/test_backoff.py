from __future__ import annotations

from pdsno_cli.supervisor.backoff import CAP, FIRST, restart_delay


def test_restart_delay_rises_and_is_capped():
    assert all(0 < restart_delay(n) <= CAP for n in range(1, 100))
    assert max(restart_delay(1) for _ in range(50)) < min(restart_delay(9) for _ in range(50))


def test_restart_delay_has_jitter():
    delays = {restart_delay(1) for _ in range(20)}
    assert len(delays) > 1
    assert all(FIRST / 5 <= delay <= FIRST for delay in delays)
