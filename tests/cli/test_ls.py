from __future__ import annotations

import time

from pdsno_cli.cli.ls import _hints, _text
from pdsno_cli.client.topologies import ListedTopology

NAME = "building-seven-with-a-name-of-forty-chars"


def listed(**facts):
    known = {
        "name": "zone-a",
        "state": "up",
        "file": "/srv/zone-a.yaml",
        "state_dir": "/var/lib/zone-a",
        "since": time.time(),
        "ready": 3,
        "controllers": 4,
        "changes": "changed",
    }
    return ListedTopology(**known | facts)


def test_a_row_has_name_state_ready_changes_since_and_file():
    head, row = _text([listed()], 80).splitlines()
    assert head.split() == ["NAME", "STATE", "READY", "CHANGES", "SINCE", "FILE"]
    assert row.split()[:4] == ["zone-a", "up", "3/4", "changed"]
    assert row.endswith("/srv/zone-a.yaml")


def test_a_file_that_does_not_fit_is_on_a_line_of_its_own_and_nothing_is_cut():
    file = "/srv/" + "long/" * 12 + "seven.yaml"
    lines = _text([listed(name=NAME, file=file), listed()], 80).splitlines()
    assert lines[1].startswith(NAME)
    assert lines[2] == f"  {file}"
    assert lines[3].startswith("zone-a")
    assert max(map(len, lines)) <= 80


def test_since_is_dropped_before_the_name_in_a_narrow_terminal():
    text = _text([listed(name=NAME)], 55)
    assert NAME in text
    assert "SINCE" not in text


def test_a_dead_topology_has_a_hint():
    (hint,) = _hints([listed(state="dead"), listed(name="other")])
    assert "pdsno down zone-a --volumes" in hint
    assert "pdsno up /srv/zone-a.yaml" in hint


def test_many_dead_topologies_share_a_hint():
    (hint,) = _hints([listed(state="dead", name=f"z{n}") for n in range(20)])
    assert hint.startswith("20 are dead")


def test_topologies_of_one_name_are_told_apart_by_their_state():
    (hint,) = _hints([listed(), listed(state_dir="/srv/state"), listed(name="other")])
    assert hint == (
        "zone-a is there 2 times: choose one with --state-dir (/var/lib/zone-a, /srv/state)"
    )
