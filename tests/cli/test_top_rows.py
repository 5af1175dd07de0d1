from __future__ import annotations

import pytest

from pdsno_cli.cli.top_rows import HEAD, View, about, arrange, columns_of


def controller(name, role="local", region="r1", **other):
    return {
        "id": name, "role": role, "region": region, "state": "ready", "health": "ready",
        "reason": None, "transport": "mqtt", "transports": {}, "carried": {}, "cycle": 3,
        "outcome": "complete", "last_cycle_age": 1.0, "devices": 5, "waiting": 0, "restarts": 0,
        "sent": 3, "quarantined": 0, "duplicates": 0, "refused": {}, "pid": 7, **other,
    }  # fmt: skip


REPORT = {
    "controllers": [
        controller("g1", "global", None),
        controller("rc1", "regional"),
        controller("lc1", devices=7),
        controller("rc2", "regional", "r2"),
        controller("lc2", region="r2", health="down", state="down", reason="no heartbeat"),
    ]
}


def names(lines):
    return [line.cells[0] for line in lines]


def test_regions_come_with_their_controllers_below():
    lines = arrange(REPORT, View())
    assert names(lines) == ["g1", "▾ r1", "  rc1", "  lc1", "▾ r2", "  rc2", "  lc2"]
    states = dict(zip(names(lines), (line.cells[1] for line in lines), strict=True))
    assert (states["▾ r1"], states["▾ r2"]) == ("2/2 ready", "1/2 ready")
    assert [line.health for line in lines if line.controller_id is None] == ["ready", "down"]


def test_folded_region_is_one_line_with_the_devices_of_its_locals():
    lines = arrange(REPORT, View(folded=frozenset({"r1"})))
    assert names(lines) == ["g1", "▸ r1", "▾ r2", "  rc2", "  lc2"]
    assert lines[1].cells[HEAD.index("devices")] == "7"


@pytest.mark.parametrize(
    ("needle", "expected"),
    [("lc1", ["▾ r1", "  lc1"]), ("down", ["▾ r2", "  lc2"]), ("r2", ["▾ r2", "  rc2", "  lc2"]),
     ("global", ["g1"]), ("nothing", [])],
)  # fmt: skip
def test_filter_keeps_ids_regions_states_and_roles_that_hold_it(needle, expected):
    assert names(arrange(REPORT, View(needle=needle))) == expected


@pytest.mark.parametrize(
    ("order", "first"), [("state", "lc2"), ("devices", "lc1"), ("id", "g1"), ("waiting", "g1")]
)
def test_other_orders_are_one_list(order, first):
    lines = arrange(REPORT, View(order=order))
    assert names(lines)[0] == first
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("width", "name"),
    [(40, "local_cntl_zone-a_001"), (60, "regional_cntl_building-seven_1"), (200, "lc1")],
)
def test_narrow_window_lacks_columns_and_cuts_no_id(width, name):
    lines = arrange({"controllers": [controller(name, "regional", waiting=3)]}, View())
    columns = columns_of(lines, width)
    assert HEAD[columns[0]] == "controller"
    widths = [max(len(line.cells[n]) for line in lines) for n in columns]
    assert sum(w + 2 for w in widths) <= width + 2
    assert "reason" not in [HEAD[n] for n in columns]


def test_about_names_what_is_wrong_and_the_next_try():
    away = {"up": False, "for": 12.0, "reason": "refused", "next_try_in": 3.0}
    row = controller("lc1", health="degraded", reason="only http carries",
                     transports={"mqtt": away}, carried={"mqtt": 4})  # fmt: skip
    text = "\n".join(about(row))
    assert "state      ready, degraded: only http carries" in text
    assert "mqtt       away for 12 s: refused, next try in 3 s, 4 messages" in text


def test_about_says_when_a_controller_is_gone():
    assert about({"id": "lc9"}) == ["lc9  does not run here any more"]
