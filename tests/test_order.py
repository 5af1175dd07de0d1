from __future__ import annotations

import pytest

from tests.conftest import long_first


def dealt(items, workers):
    """Return the part of each worker, as pytest-xdist's ``worksteal`` deals them at first."""
    parts, rest = [], list(items)
    for worker in range(workers):
        size = len(rest) // (workers - worker)
        parts.append(rest[:size])
        del rest[:size]
    return parts


def test_half_of_the_workers_begin_with_what_takes_long():
    items = [f"{'L' if number % 5 == 0 else 's'}{number}" for number in range(42)]
    ordered = long_first(items, lambda item: item[0] == "L", 4)
    one, other, *quick = dealt(ordered, 4)
    assert one[:6] == ["L0", "L10", "L20", "L30", "L40", "s1"]
    assert other[:5] == ["L5", "L15", "L25", "L35", other[4]]
    assert other[4][0] == "s"
    assert all(item[0] == "s" for part in quick for item in part)
    assert [item for item in ordered if item[0] == "s"] == [i for i in items if i[0] == "s"]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("long", "short"), [(0, 0), (0, 9), (9, 0), (8, 3), (3, 8), (1, 1)])
def test_nothing_is_lost_whatever_the_numbers(long, short, workers):
    items = [*(f"L{n}" for n in range(long)), *(f"s{n}" for n in range(short))]
    ordered = long_first(items, lambda item: item[0] == "L", workers)
    assert sorted(ordered) == sorted(items)
