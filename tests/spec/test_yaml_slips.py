"""Slips in texts that are not YAML, and texts of any bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdsno_cli.lint.engine import check
from pdsno_cli.spec.yaml_nodes import parse
from pdsno_cli.spec.yaml_slips import find

TOPOLOGIES = sorted(Path(__file__).parents[2].glob("topologies/*.yaml"))
CALM = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
PIECES = ["'", '"', "[", "]", "{", "}", ": ", ":", "- ", "\t", "#", "|", ">", "&a", "*a", "!!int ", "\x00",
          "\u00a0", "<<: ", "${", "}}", "{{", "=", "//", "\r", "\x85", "\ufeff", "?", "%", "@", "0.0.0.0/0"]  # fmt: skip


@pytest.mark.parametrize("text", ["a: b", "", "#", "key", "- a", "a: 'b'"])
def test_any_line_can_be_where_reading_stopped(text):
    lines = text.split("\n")
    for line in range(3):
        slip = find(lines, line, 0, "")
        assert slip is None or (slip.line < len(lines) and slip.hint)


@CALM
@given(st.text(st.sampled_from("ab:{}[]'\"|>-# \n\t${}=/&*!?%@,"), max_size=80))
def test_text_of_any_kind_is_data_or_has_a_finding_in_it(text):
    tree = parse(text, "t")
    lines = text.split("\n")
    for item in tree.diagnostics:
        assert 1 <= item.line <= len(lines)
        assert item.column >= 1
    assert not tree.broken or tree.diagnostics


@CALM
@given(data=st.data())
def test_mutated_topology_has_findings_and_no_traceback(data, tmp_path):
    source = data.draw(st.sampled_from(TOPOLOGIES)).read_bytes()[:3000]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(source)))
        piece = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(PIECES).map(str.encode)))
        source = source[:at] + piece + source[at + data.draw(st.integers(0, 3)) :]
    path = tmp_path / "mutated.yaml"
    path.write_bytes(source)
    for environment in (None, {}):
        for item in check(path, environment=environment).diagnostics:
            assert item.line >= 1
            assert item.column >= 1
            assert "Expected" not in item.message
            assert "while parsing" not in item.message
