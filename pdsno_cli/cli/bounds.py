"""The bounds of ``--expect KEY<=VALUE``: parsed, and held against what was measured; pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.durations import parse_duration
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DURATIONS = ("fallback", "recovery")
COUNTS = ("delayed", "lost", "twice")
_KEYS = (*DURATIONS, *COUNTS)
_BOUND = re.compile(r"\s*(\S+?)\s*<=\s*(\S+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The most that a measure may come to: seconds, or a number; ``text`` is how it was given."""

    key: str
    most: float
    text: str

    def broken(self, value: float | None) -> bool:
        """Whether a measured value is above it; None, nothing to measure, is not."""
        return value is not None and value > self.most


def parse_bounds(texts: Iterable[str]) -> list[Bound]:
    """Return the bounds; UsageError, with a suggestion, for what is none."""
    return [_bound(text) for text in texts]


def broken(bounds: Iterable[Bound], values: Mapping[str, float | None]) -> list[Bound]:
    """Return the bounds that the measured values break; lost and twice are bound to 0 anyway."""
    always = [Bound(key=key, most=0, text=f"{key}<=0") for key in ("lost", "twice")]
    named = [item for item in bounds if item.broken(values[item.key])]
    told = {item.key for item in named}
    return named + [
        item for item in always if item.key not in told and item.broken(values[item.key])
    ]


def in_words(key: str, value: float | None) -> str:
    """Return a measured value for people."""
    if value is None:
        return "-"
    if value == math.inf:
        return "never"
    return f"{value:.2f} s" if key in DURATIONS else str(round(value))


def _bound(text: str) -> Bound:
    found = _BOUND.fullmatch(text)
    if found is None:
        meant = next((key for key in _KEYS if text.lstrip().startswith(key)), "fallback")
        example = "10s" if meant in DURATIONS else "0"
        raise UsageError(
            f"--expect {text!r} is no bound: write KEY<=VALUE, as in '{meant}<={example}'"
        )
    key, value = found.groups()
    if key not in _KEYS:
        hint = did_you_mean(key, _KEYS) or f"one of: {', '.join(_KEYS)}"
        raise UsageError(f"--expect {text!r}: there is no measure {key!r}; {hint}")
    if key in COUNTS:
        if not value.isdecimal():
            raise UsageError(f"--expect {text!r}: {value!r} is no number, as in {key}<=0")
        return Bound(key=key, most=int(value), text=f"{key}<={value}")
    try:
        return Bound(key=key, most=parse_duration(value), text=f"{key}<={value}")
    except ValueError as exc:
        raise UsageError(f"--expect {text!r}: {exc}") from exc
