"""Parses and formats durations (``300ms``, ``30s``, ``5m``, ``2h``); in code they are seconds."""

from __future__ import annotations

import re
from itertools import pairwise

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SHORTEST = 0.1  # seconds of an interval; below, it would be a busy loop
DAY = 86_400.0
_EXACT = 1e-9  # seconds
PATTERN = r"^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:ms|s|m|h)$"
_DURATION = re.compile(r"(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?P<unit>ms|s|m|h)")


_WORDS = {
    "ms": ("msec", "msecs", "millisecond", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "m": ("min", "mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "d": ("day", "days"),
}
_UNIT_OF = {word: unit for unit, words in _WORDS.items() for word in (unit, *words)}
_PART = re.compile(r"(\d+(?:\.\d+)?)[ \t]*([A-Za-z]+)[ \t]*")
_ISO = re.compile(r"P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")


def closest_duration(text: str) -> str | None:
    """Return the duration that ``text`` means in another notation, None if there is none for certain.

    Such as ``30 s``, ``30sec``, ``1m30s``, ``1d`` or ``PT30S``.
    """
    meant = text.strip()
    if _ISO.fullmatch(meant) and meant[-1] not in "PT":
        meant = meant[1:].replace("T", "").lower()
    parts = _PART.findall(meant)
    if not parts or _PART.sub("", meant):
        return None
    units = [_UNIT_OF.get(word if word == "M" else word.lower()) for _, word in parts]
    order = [*UNITS, "d"]
    if None in units or any(order.index(a) <= order.index(b) for a, b in pairwise(units)):  # type: ignore[arg-type]
        return None
    if len(parts) == 1 and units[0] != "d":
        number = parts[0][0].lstrip("0") or "0"
        found = f"{'0' if number[0] == '.' else ''}{number}{units[0]}"
    else:
        scale = {**UNITS, "d": DAY}
        seconds = sum(float(n) * scale[str(u)] for (n, _), u in zip(parts, units, strict=True))
        found = format_duration(seconds)
        if abs(parse_duration(found) - seconds) > _EXACT:
            return None
    return found if found != text else None


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


def format_age(seconds: float) -> str:
    """Return how long ago something was, in its two largest units, seconds up to two minutes."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    for unit, length, part, smaller in (
        ("d", 86_400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if whole >= length:
            count, rest = divmod(whole, length)
            return f"{count} {unit}" + (f" {rest // smaller} {part}" if rest >= smaller else "")
    raise AssertionError(seconds)


def format_about(seconds: float) -> str:
    """Return ``seconds`` with three digits, in a unit of which there are at least two."""
    for unit, length in (("d", DAY), ("h", 3600.0), ("m", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g}{unit}"
    return f"{seconds:.3g}s"
