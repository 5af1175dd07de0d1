"""The delay before a restart: exponential, capped, with jitter."""

from __future__ import annotations

import random

FIRST = 0.5  # seconds, the widest first wait
CAP = 30.0


def restart_delay(failures: int) -> float:
    """Return the delay in seconds after ``failures`` failures in a row, counted from 1."""
    ceiling = min(CAP, FIRST * 2 ** min(failures - 1, 16))
    return random.uniform(ceiling / 5, ceiling)  # noqa: S311 - jitter is no secret
