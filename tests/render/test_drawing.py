"""Drawings of the topic tree: complete, derived from the topic map, and well-formed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.topics import CLASSES, matches
from pdsno_cli.render.drawing import FORMATS, draw
from pdsno_cli.render.families import families

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


@pytest.fixture(scope="module")
def zone_a():
    return require(TOPOLOGIES / "zone-a.yaml")


@pytest.fixture(scope="module")
def campus():
    return require(TOPOLOGIES / "campus-200.yaml")


def test_every_topic_belongs_to_its_class(campus):
    for family in families(campus):
        for topic in family.topics:
            assert campus.topics.class_of(topic) is family.item
            assert matches(re.sub(r"\{\w+\}", "+", family.pattern), topic)


def test_json_holds_every_topic_and_its_version(campus):
    document = json.loads(draw([campus], "json", everything=False))
    assert document["format_version"] == 1
    by_class = {}
    for family in document["topologies"][0]["families"]:
        by_class.setdefault(family["class"], []).extend(family["topics"])
    assert list(by_class) == list(CLASSES)
    assert len(by_class["discovery"]) == 200
    assert len(by_class["status"]) == 205
    assert by_class["policy"] == [
        f"pdsno/policy/{x}" for x in ("global", "north", "east", "south", "west")
    ]


def test_tree_collapses_large_families_unless_all_are_wanted(campus):
    short = draw([campus], "tree", everything=False)
    assert len(short.splitlines()) < 80
    assert "… 47 more" in short
    long = draw([campus], "tree", everything=True)
    assert "more" not in long
    assert all(name in long for name in campus.controllers)


def test_table_is_aligned(zone_a):
    lines = draw([zone_a], "table", everything=False).splitlines()
    column = lines[0].index("QOS")
    assert all(line[column] in "012Q" and line[column - 1] == " " for line in lines)


def test_markdown_has_one_cell_for_each_column(zone_a):
    lines = draw([zone_a], "markdown", everything=False).splitlines()
    assert {line.count("|") for line in lines if line.startswith("|")} == {7}


def test_rules_of_the_topology_are_shown(zone_a):
    topics = replace(zone_a.topics, root="plant", rules={"status": CLASSES["policy"].default})
    drawn = draw([replace(zone_a, topics=topics)], "tree", everything=False)
    assert re.search(r"^plant$", drawn, re.MULTILINE)
    assert re.search(r"status +QoS 1  retained", drawn)


@pytest.mark.parametrize("names", [["zone-a"], ["zone-a", "campus-200"]])
def test_mermaid_declares_every_node_once_and_closes_every_subgraph(names):
    drawn = draw(
        [require(TOPOLOGIES / f"{name}.yaml") for name in names], "mermaid", everything=False
    )
    lines = [line.strip() for line in drawn.splitlines()]
    assert lines[0] == "flowchart LR"
    depth = 0
    nodes = set()
    for line in lines[1:]:
        if line.startswith("subgraph "):
            assert re.fullmatch(r'subgraph \w+\["[^"]*"\]', line)
            depth += 1
        elif line == "end":
            depth -= 1
        elif "-->" in line:
            used = set(re.split(r" (?:-->|&) ", line))
            assert used <= nodes
        else:
            match = re.fullmatch(r'(\w+)(?:\["[^"]*"\]|\(\["[^"]*"\]\))', line)
            assert match, line
            assert match[1] not in nodes
            nodes.add(match[1])
        assert depth >= 0
    assert depth == 0


def test_mermaid_quotes_what_it_would_read_as_markup(zone_a):
    odd = 'a"b`c<d>;end'
    controller = replace(zone_a.controllers["global_cntl_1"], controller_id=odd, key=odd)
    controllers = {odd: controller, **zone_a.controllers}
    del controllers["global_cntl_1"]
    drawn = draw([replace(zone_a, controllers=controllers)], "mermaid", everything=False)
    assert '"a#quot;b#96;c#lt;d#gt;;end"' in drawn


@pytest.mark.parametrize("format_", FORMATS)
def test_map_itself_is_drawn_without_a_topology(format_):
    drawn = draw([None], format_, everything=False)
    assert "{region}" in drawn
