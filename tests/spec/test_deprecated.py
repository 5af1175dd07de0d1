"""Deprecated keys in a schema that has some."""

from __future__ import annotations

import copy

import pytest

from pdsno_cli.lint.engine import check
from pdsno_cli.spec import deprecated, schema

FILE = """\
name: n
outbox: {limit: 10, messages: 100, size: 65536}
broker: {legacy: 1}
regions: {r: {}}
controllers:
  g: {role: global, beat: &beat 7s}
  rc: {role: regional, region: r, beat: 9s, heartbeat: 8s}
  l: &l {role: local, region: r, beat: 1ms, discovery: {targets: 10.0.0.1}}
"""


@pytest.fixture(autouse=True)
def _renamed(monkeypatch):
    """Let `beat` be the old name of `heartbeat`, `limit` that of `messages`, and `legacy` be gone."""
    changed = copy.deepcopy(schema.schema())
    parts = changed["definitions"]
    controller = parts["controller"]["properties"]
    controller["beat"] = {
        **controller["heartbeat"], "deprecated": True, "x-replaced-by": "heartbeat",
    }  # fmt: skip
    outbox = changed["properties"]["outbox"]["properties"]
    outbox["limit"] = {**outbox["messages"], "deprecated": True, "x-replaced-by": "messages"}
    parts["broker"]["properties"]["legacy"] = {"type": "integer", "deprecated": True}
    for module in (schema, deprecated):
        monkeypatch.setattr(module, "schema", lambda: changed)
    caches = (schema.topology_shape, deprecated.deprecated_keys)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "t.yaml"


def found(path):
    return [(d.line, d.column, d.code, d.message, d.hint) for d in check(path).diagnostics]


def test_schema_says_which_keys_are_deprecated_and_where():
    assert {(item.where, item.key, item.instead) for item in deprecated.deprecated_keys()} == {
        (("controllers", "*"), "beat", "heartbeat"),
        (("outbox",), "limit", "messages"),
        (("broker",), "legacy", None),
    }


def test_deprecated_key_is_a_warning_and_counts_as_its_successor(file):
    file.write_text(FILE.replace("1ms", "6s"))
    checked = check(file)
    assert checked.topology is not None
    beats = {name: item.heartbeat for name, item in checked.topology.controllers.items()}
    assert beats == {"g": 7.0, "rc": 8.0, "l": 6.0}
    assert checked.topology.outbox.messages == 100
    assert [item for item in found(file) if item[2] == "PDS503"] == [
        (
            2,
            10,
            "PDS503",
            "'limit' is deprecated, and has no effect beside 'messages'",
            "remove it",
        ),
        (3, 10, "PDS503", "'legacy' is deprecated and has no effect", "remove it"),
        (6, 21, "PDS503", "'beat' is deprecated", "rename it to 'heartbeat'"),
        (
            7,
            35,
            "PDS503",
            "'beat' is deprecated, and has no effect beside 'heartbeat'",
            "remove it",
        ),
        (8, 34, "PDS503", "'beat' is deprecated", "rename it to 'heartbeat'"),
    ]


def test_finding_about_the_value_of_a_deprecated_key_is_at_its_place(file):
    file.write_text(FILE)
    assert [item[:3] for item in found(file)] == [(8, 40, "PDS219")]


def test_fix_renames_the_key_and_leaves_the_rest(file):
    file.write_text(FILE.replace("1ms", "6s"))
    lines = FILE.replace("1ms", "6s").split("\n")
    for item in reversed(check(file).diagnostics):
        for edit in item.fix:
            line = lines[edit.line - 1]
            lines[edit.line - 1] = line[: edit.column - 1] + edit.text + line[edit.end_column - 1 :]
    assert lines[5] == "  g: {role: global, heartbeat: &beat 7s}"
    assert lines[7].startswith("  l: &l {role: local, region: r, heartbeat: 6s,")
    assert lines[1:4] + lines[6:7] == FILE.split("\n")[1:4] + FILE.split("\n")[6:7]
