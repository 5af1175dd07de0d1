"""Which facts make a controller ready, degraded, down or failed; pure."""

from __future__ import annotations

import pytest

from pdsno_cli.model.health import UNSEEN, Facts, health
from pdsno_cli.model.notices import TransportState

UP = TransportState(up=True, since=0.0)
AWAY = TransportState(up=False, since=0.0, reason="connection refused", next_try=1.0)


@pytest.mark.parametrize(
    ("facts", "level", "reason"),
    [
        ({"transport": "mqtt", "transports": {"mqtt": UP}}, "ready", None),
        ({"transport": "mqtt", "transports": {"mqtt": UP}, "seen_by_parent": True}, "ready", None),
        ({"transport": "http", "transports": {"mqtt": AWAY, "http": UP}}, "degraded",
         "only http is active: connection refused"),
        ({"transport": "mqtt", "transports": {"mqtt": UP}, "stalled": "discovery/r/lc",
          "stalled_for": 41.6}, "degraded",
         "nothing of discovery/r/lc is acknowledged; the oldest message waits for 42 s"),
        ({"seen_by_parent": False, "unseen_reason": UNSEEN}, "degraded", UNSEEN),
        ({"seen_by_parent": False, "unseen_reason": "rc calls it down (silence)"}, "down",
         "rc calls it down (silence)"),
        ({"state": "disconnected", "transports": {"mqtt": AWAY}}, "down", "connection refused"),
        ({"state": "connecting", "transports": {"mqtt": AWAY}}, "down", "connection refused"),
        ({"state": "connecting"}, "starting", None),
        ({"state": "restarting"}, "down", "restarting"),
        ({"state": "failed", "detail": "no such file"}, "failed", "no such file"),
        ({"state": "stopped"}, "stopped", None),
    ],
)  # fmt: skip
def test_the_worst_that_is_known_is_said(facts, level, reason):
    assert health(Facts(**({"state": "ready"} | facts))) == (level, reason)
