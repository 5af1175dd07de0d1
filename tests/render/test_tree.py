"""The tree of topics, line by line."""

from __future__ import annotations

from pdsno_cli.render.families import families
from pdsno_cli.render.tree import MOST, SHOWN, few, lines


def test_few_shows_all_up_to_the_limit_and_some_beyond_it():
    items = [str(number) for number in range(MOST + 1)]
    assert few(items[:MOST], everything=False) == (items[:MOST], 0)
    assert few(items, everything=False) == (items[:SHOWN], MOST + 1 - SHOWN)
    assert few(items, everything=True) == (items, 0)


def test_lines_begin_with_the_root_and_end_with_a_closed_branch():
    drawn = lines(families(None), everything=False)
    assert drawn[0].label == "pdsno"
    assert next(line.label for line in drawn if line.qos) == "├── discovery"
    assert drawn[-1].label == "    └── {controller_id}"


def test_flow_is_on_the_class_where_all_its_topics_share_it():
    by_label = {line.label.strip("├└─│ "): line for line in lines(families(None), everything=False)}
    assert by_label["status"].flow.startswith("all controllers → ")
    assert by_label["policy"].flow == ""
    assert by_label["global"].flow.startswith("global → ")
