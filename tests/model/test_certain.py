"""What is certain enough to be written into a file by itself."""

from __future__ import annotations

import pytest

from pdsno_cli.model.durations import closest_duration, parse_duration
from pdsno_cli.model.names import certain

KEYS = ("host", "hosts", "port", "heartbeat", "role", "region", "regions", "ca")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("prot", "port"), ("rol", "role"), ("heartbaet", "heartbeat"), ("hearbeet", "heartbeat"),
        ("Heart-Beat", "heartbeat"), ("hosst", None), ("hos", "host"), ("regiom", None), ("rolle", "role"),
        ("ba", None), ("pot", "port"), ("poort_", "port"), ("", None), ("zone", None),
    ],
)  # fmt: skip
def test_only_one_name_may_be_near(name, meant):
    assert certain(name, KEYS) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("30 s", "30s"), ("30S", "30s"), ("30sec", "30s"), (" 30s", "30s"), ("5 minutes", "5m"), ("1m30s", "90s"),
        ("1h 30m", "90m"), ("1d", "24h"), ("PT30S", "30s"), ("PT1M30S", "90s"), ("P1D", "24h"), ("007s", "7s"),
        ("1.50 h", "1.50h"), ("1h30", None), ("30", None), ("s", None), ("1M", None), ("1s1m", None), ("1m1m", None),
        ("-5s", None), ("P", None), ("PT", None), ("five s", None), ("30s", None), ("0.5d", "12h"),
    ],
)  # fmt: skip
def test_duration_in_another_notation(text, meant):
    assert closest_duration(text) == meant
    if meant is not None:
        parse_duration(meant)
