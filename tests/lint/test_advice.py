"""Rules that advise: held back by errors, and fixes that apply to the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdsno_cli.lint.engine import all_rules, check
from pdsno_cli.model.diagnostics import Severity

ERR = Path(__file__).parent / "err"
ADVICE = [rule.code for rule in all_rules() if rule.advice]


def test_rules_from_pds3_on_and_a_stray_quote_are_advice():
    codes = [rule.code for rule in all_rules()]
    assert [code for code in codes if code >= "PDS3"] == sorted({*ADVICE, "PDS601"} - {"PDS223"})


@pytest.mark.parametrize("path", sorted(ERR.glob("PDS[3-6]*.yaml")), ids=lambda path: path.stem)
def test_advice_is_a_warning_of_the_named_rule_and_comes_without_errors(path, tmp_path):
    checked = check(path)
    assert {item.code for item in checked.diagnostics} == {path.stem[:6]}
    assert {item.severity for item in checked.diagnostics} == {Severity.WARNING}
    assert checked.topology is not None
    broken = tmp_path / "broken.yaml"
    for slip, code in (
        ("polcy: {}\n", "PDS101"),
        ("signing_key: hunter2\n", "PDS214"),
    ):
        broken.write_text(path.read_text() + slip)
        found = {item.code for item in check(broken).diagnostics}
        assert found == {code, *(found & {"PDS601"})}


def test_prefix_with_host_bits_has_a_fix(tmp_path):
    path = ERR / "prefix-with-host-bits.yaml"
    lines = path.read_text().split("\n")
    for item in check(path).diagnostics:
        (edit,) = item.fix
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.column - 1] + edit.text + line[edit.end_column - 1 :]
    fixed = tmp_path / "fixed.yaml"
    fixed.write_text("\n".join(lines))
    assert "[10.0.0.0/16, 10.9.0.0/16]" in fixed.read_text()
    assert "prefixes: 10.2.0.1/32" in fixed.read_text()
    assert {item.code for item in check(fixed).diagnostics} == {"PDS301"}
