"""Parses and formats durations (``300ms``, ``30s``, ``5m``, ``2h``); in code they are seconds."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SHORTEST = 0.1  # seconds of an interval; below, it would be a busy loop
DAY = 86_400.0
PATTERN = r"^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:ms|s|m|h)$"
_DURATION = re.compile(r"(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?P<unit>ms|s|m|h)")


def parse_duration(text: str) -> float:
    """Return the seconds of ``text``; ValueError for an invalid duration."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and ms, s, m or h, as in 30s")
    return float(match["number"]) * UNITS[match["unit"]]


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that keeps it a whole number, else in seconds."""
    for unit in ("h", "m", "s"):
        count = seconds / UNITS[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    return f"{seconds:g}s"
