"""The engine: which rules run, and what a file with findings yields."""

from __future__ import annotations

import pytest

from pdsno_cli.lint.engine import all_rules, check, require
from pdsno_cli.model.errors import InvalidTopologyError, UsageError

VALID = """\
name: n
regions: {r: {}}
controllers:
  g: {role: global}
  rc: {role: regional, region: r}
  l: {role: local, region: r, discovery: {targets: 10.0.0.1}}
"""


def write(tmp_path, text):
    file = tmp_path / "t.yaml"
    file.write_text(text)
    return file


def test_warning_keeps_the_topology(tmp_path):
    checked = check(write(tmp_path, VALID.replace(", discovery: {targets: 10.0.0.1}", "")))
    assert [item.code for item in checked.diagnostics] == ["PDS220"]
    assert checked.topology is not None


def test_error_drops_the_topology_and_findings_are_sorted(tmp_path):
    text = VALID.replace("region: r, disc", "region: q, disc").replace("name: n", "name: n\nx: 1")
    file = write(tmp_path, text)
    checked = check(file)
    assert checked.topology is None
    assert [item.code for item in checked.diagnostics] == ["PDS101", "PDS201"]
    with pytest.raises(InvalidTopologyError) as caught:
        require(file)
    assert caught.value.diagnostics == checked.diagnostics


def test_rules_about_missing_entries_are_skipped_for_an_incomplete_file(tmp_path):
    regional = "  rc: {role: regional, region: r}\n"
    complete = check(write(tmp_path, VALID.replace(regional, "")))
    assert "PDS203" in [item.code for item in complete.diagnostics]
    broken = check(write(tmp_path, VALID.replace(regional, "  rc: {role: regionl, region: r}\n")))
    assert [item.code for item in broken.diagnostics] == ["PDS104"]
    assert any(rule.absence for rule in all_rules())


def test_unreadable_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError):
        check(tmp_path / "none.yaml")
