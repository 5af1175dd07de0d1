"""Schema violations, and the removal of invalid parts."""

from __future__ import annotations

import pytest

from pdsno_cli.spec.document import Document
from pdsno_cli.spec.schema import prune, topology_shape, unknown_keys
from pdsno_cli.spec.yaml_nodes import parse


def load(text: str) -> Document:
    tree = parse(text, "t")
    return Document(
        path="t", text=text, data=tree.root, positions=tree.positions, pinned=tree.pinned
    )


VALID = "name: n\ncontrollers: {g: {role: global}}\n"


def test_valid_data_has_no_violations():
    assert topology_shape().violations(load(VALID).data) == []


def test_violation_has_path_keyword_and_value():
    document = load(VALID + "broker: {port: 70000}\n")
    (found,) = topology_shape().violations(document.data)
    assert (found.where, found.keyword, found.value) == (("broker", "port"), "maximum", 70000)


def test_unknown_keys_leave_out_those_of_users():
    document = load(VALID + "brokr: {}\nx-mine: 1\n")
    (found,) = topology_shape().violations(document.data)
    assert unknown_keys(found) == ["brokr"]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (VALID + "broker: {port: 70000, keepalive: 5s}\n", {"broker": {"keepalive": "5s"}}),
        (VALID + "brokr: {}\n", {}),
        (VALID + "fallbacks: [mqtt, https]\n", {}),  # the whole list
    ],
)
def test_prune_removes_the_invalid_part_alone(text, rest):
    document = load(text)
    assert prune(document, topology_shape().violations(document.data))
    expected = {"name": "n", "controllers": {"g": {"role": "global"}}} | rest
    assert document.data == expected


def test_prune_gives_up_without_controllers():
    document = load("name: n\n")
    assert not prune(document, topology_shape().violations(document.data))


def test_prune_supplies_a_missing_name():
    document = load("controllers: {g: {role: global}}\n")
    assert prune(document, topology_shape().violations(document.data))
    assert document.data["name"]
