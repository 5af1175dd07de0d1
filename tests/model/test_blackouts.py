"""Times in which nothing is probed: across midnight, across weeks, one after another."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.blackouts import begins, ends, parse, whole_week

WEDNESDAY = datetime(2026, 11, 25)  # noqa: DTZ001  # local times have no zone


def at(hours, minutes=0, days=0):
    return WEDNESDAY + timedelta(days=days, hours=hours, minutes=minutes)


def of(*texts):
    return [parse(text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "now", "end"),
    [
        (["22:00-02:00"], at(21, 59), None),
        (["22:00-02:00"], at(22), at(26)),
        (["22:00-02:00"], at(1, 59), at(2)),
        (["22:00-02:00"], at(2), None),
        (["Wed 22:00-02:00"], at(25), at(26)),
        (["Thu 22:00-02:00"], at(25), None),
        (["Sat 00:00-24:00"], at(12, days=3), at(24, days=3)),
        (["Fri-Mon 08:00-18:00"], at(9, days=4), at(18, days=4)),
        (["Fri-Mon 08:00-18:00"], at(9, days=6), None),
        (["Sat 00:00-24:00", "Sun 00:00-24:00"], at(12, days=3), at(24, days=4)),
        (["10:00-12:00", "11:00-13:00", "13:00-14:00"], at(10, 30), at(14)),
    ],
)
def test_blackout_of_a_moment_ends_when_it_says(texts, now, end):
    assert ends(of(*texts), now) == end


def test_next_blackout_begins_after_the_moment():
    assert begins(of("22:00-02:00", "Sat 00:00-24:00"), at(23)) == at(22, days=1)
    assert begins(of("Mon 08:00-09:00"), at(0)) == at(8, days=5)
    assert begins((), at(0)) is None


@pytest.mark.parametrize("text", ["25:00-26:00", "Foo 10:00-11:00", "10-11", "10:61-11:00", ""])
def test_invalid_times_are_refused(text):
    with pytest.raises(ValueError, match="invalid time"):
        parse(text)


def test_time_that_ends_when_it_starts_is_refused():
    with pytest.raises(ValueError, match="ends when it starts"):
        parse("10:00-10:00")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["00:00-24:00"], True),
        (["12:00-24:00", "00:00-12:00"], True),
        (["Mon-Fri 00:00-24:00", "Sat-Sun 00:00-23:59"], False),
        ([], False),
    ],
)
def test_whole_week_is_told_from_one_with_a_gap(texts, expected):
    assert whole_week(of(*texts)) is expected


TIMES = st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] != pair[1])


@given(st.lists(TIMES, min_size=1, max_size=3), st.integers(0, 7 * 24 * 4))
def test_no_blackout_is_left_at_its_end(pairs, quarter):
    found = of(*(f"{start:02d}:00-{end:02d}:00" for start, end in pairs))
    now = WEDNESDAY + timedelta(minutes=15 * quarter)
    end = ends(found, now)
    if end is not None and not whole_week(found):
        assert end > now
        assert ends(found, end) is None
