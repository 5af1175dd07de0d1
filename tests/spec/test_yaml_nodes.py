"""Data and positions from YAML: against PyYAML's composer, and with arbitrary text."""

from __future__ import annotations

import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.spec.document import Document, unpack
from pdsno_cli.spec.yaml_nodes import parse

PLAIN = st.text(string.ascii_letters + "é 漢'\"#:,-&*!|>%@", min_size=1, max_size=12)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), PLAIN)
TREES = st.recursive(
    SCALARS,
    lambda children: st.one_of(
        st.lists(children, max_size=4), st.dictionaries(PLAIN, children, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(PLAIN, TREES, min_size=1, max_size=5), st.sampled_from([None, True, False]))
def test_data_and_places_are_those_of_the_composer(data, flow):
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    tree = parse(text, "t")
    assert not tree.broken
    assert tree.root == data
    assert_positions(tree, tree.root, yaml.compose(text, Loader=yaml.SafeLoader))


def assert_positions(tree, value, node):
    if isinstance(node, yaml.MappingNode):
        positions = tree.positions[id(value)]
        assert positions[::3] == list(value)
        for number, (key, item) in enumerate(node.value):
            assert_position(positions[3 * number + 1], key)
            assert_position(positions[3 * number + 2], item)
            assert_positions(tree, value[key.value], item)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            assert_position(tree.positions[id(value)][number], item)
            assert_positions(tree, value[number], item)


def assert_position(position, node):
    line, column, length = unpack(position)
    assert (line, column) == (node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.ScalarNode):
        assert length == node.end_mark.index - node.start_mark.index


@given(st.text(max_size=60))
def test_any_text_is_data_or_findings(text):
    tree = parse(text, "t")
    assert not tree.broken or tree.diagnostics
    for item in tree.diagnostics:
        assert item.line >= 1
        assert item.column >= 1
        assert "\n" not in item.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("1:30", "1:30"),
        ("0o17", 15),
        ("017", 17),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("~", None),
        ("", None),
        ("True", True),
        ("'5'", "5"),
        ("!!str 5", "5"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text, value):
    found = parse(f"k: {text}", "t").root["k"]
    assert found == value
    assert type(found) is type(value)


def test_merge_keeps_own_keys_and_earlier_sources():
    tree = parse(
        "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  x: 0\n  <<: [*a, *b]\n  w: 3\n", "t"
    )
    assert tree.root["c"] == {"x": 0, "w": 3, "y": 1, "z": 2}


def test_place_of_a_merged_key_is_where_its_text_is():
    text = "a: &a {x: 1}\nb: {<<: *a}\n"
    tree = parse(text, "t")
    document = Document(path="t", text=text, data=tree.root, positions=tree.positions)
    span = document.span(("b", "x"))
    assert (span.line, span.column, span.end_column) == (1, 11, 12)


def test_duplicate_key_is_a_finding_with_both_places_and_the_first_stays():
    tree = parse("a: 1\nb: {c: 1, c: 2}\na: 3\n", "t")
    assert tree.root == {"a": 1, "b": {"c": 1}}
    assert [(item.line, item.column, item.message) for item in tree.diagnostics] == [
        (2, 11, "duplicate key 'c', first at line 2, column 5"),
        (3, 1, "duplicate key 'a', first at line 1, column 1"),
    ]


def test_place_counts_characters_and_knows_carriage_returns():
    text = 'é: "漢字"\r\nb: [1,  two]\r\n'
    tree = parse(text, "t")
    document = Document(path="t", text=text, data=tree.root, positions=tree.positions)
    assert document.span(("é",)).end_column == 8
    assert document.span(("b", 1)).column == 9
    assert document.span(("b", 1)).line == 2
