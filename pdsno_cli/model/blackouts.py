"""Times in which nothing is probed, as ``22:00-02:00``, ``Sat 00:00-24:00``, ``Mon-Fri 08:00-18:00``.

Local times without a zone; a time that ends before it starts ends on the next day. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_DAY = timedelta(days=1)
_AHEAD = 8  # days: all windows begin anew within a week
_FORM = re.compile(r"(?:(\w{3})(?:-(\w{3}))? )?(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """A time of day on some weekdays (0 is Monday); ``start`` and ``end`` are since midnight."""

    days: frozenset[int]
    start: timedelta
    end: timedelta

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """Return when the one of a day starts and ends, None if there is none on it."""
        if day.weekday() not in self.days:
            return None
        midnight = datetime.combine(day, time())
        return midnight + self.start, midnight + self.end


def parse(text: str) -> Blackout:
    """Return the times that ``text`` stands for; ValueError, one sentence, if it is invalid."""
    found = _FORM.fullmatch(text)
    if found is None or {found[1], found[2]} - {None, *DAYS}:
        raise ValueError(f"invalid time {text!r}")
    hours, minutes, end_hours, end_minutes = map(int, found.groups()[2:])
    start = timedelta(hours=hours, minutes=minutes)
    end = timedelta(hours=end_hours, minutes=end_minutes)
    if start >= _DAY or end > _DAY or max(minutes, end_minutes) > 59:
        raise ValueError(f"invalid time {text!r}")
    if start == end:
        raise ValueError(f"{text!r} ends when it starts")
    first = DAYS.index(found[1]) if found[1] else 0
    last = DAYS.index(found[2]) if found[2] else first if found[1] else 6
    days = range(first, last + 1 if last >= first else last + 8)
    return Blackout(
        days=frozenset(day % 7 for day in days),
        start=start,
        end=end if end > start else end + _DAY,
    )


def ends(blackouts: Sequence[Blackout], now: datetime) -> datetime | None:
    """Return when the blackout of ``now`` ends, None if there is none.

    A week and more ahead if they leave no time between them.
    """
    end = None
    for begins, over in sorted(_around(blackouts, now.date())):
        if begins <= (end or now) < over:
            end = over
    return end


def begins(blackouts: Sequence[Blackout], now: datetime) -> datetime | None:
    """Return when the next blackout after ``now`` begins, None without any."""
    return min((start for start, _ in _around(blackouts, now.date()) if start > now), default=None)


def whole_week(blackouts: Sequence[Blackout]) -> bool:
    """Return True if they leave no time in a week."""
    monday = datetime(2001, 1, 1)  # noqa: DTZ001 - local times have no zone
    end = ends(blackouts, monday)
    return end is not None and end - monday >= 7 * _DAY


def _around(blackouts: Iterable[Blackout], day: date) -> Iterator[tuple[datetime, datetime]]:
    for item in blackouts:
        for offset in range(-1, _AHEAD + 1):
            found = item.on(day + offset * _DAY)
            if found is not None:
                yield found


def local_now() -> datetime:
    """Return the time of this machine without its zone, as blackouts are declared."""
    return datetime.now().astimezone().replace(tzinfo=None)
