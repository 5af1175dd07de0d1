"""Golden cases: each file in err/ has its findings beside it; each in ok/ has none.

The first line `# validate --env` checks a file with an empty environment. `PDSNO_UPDATE_GOLDEN=1` rewrites the findings; read the diff before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pdsno_cli.cli.report import concise
from pdsno_cli.lint.engine import all_rules, check
from pdsno_cli.spec import codes

HERE = Path(__file__).parent
ERR = sorted(HERE.glob("err/*.yaml"))
OK = [*sorted(HERE.glob("ok/*.yaml")), *sorted(HERE.parents[1].glob("topologies/*.yaml"))]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("MQTT_", "SNMP_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_findings_are_those_beside_the_file(path, monkeypatch):
    monkeypatch.chdir(HERE)
    environment = {} if path.read_bytes().startswith(b"# validate --env\n") else None
    found = concise(check(path.relative_to(HERE), environment=environment).diagnostics)
    golden = path.with_suffix(".out")
    if os.environ.get("PDSNO_UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()
    assert found


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_file_without_mistakes_has_no_findings(path):
    checked = check(path)
    assert checked.diagnostics == ()
    assert checked.topology is not None


def test_every_code_has_a_golden_case():
    seen = "".join(path.read_text() for path in HERE.glob("err/*.out"))
    # A stale entry is in no topology (tests/lint/test_baseline.py), and no key is deprecated
    # (tests/spec/test_deprecated.py).
    unseen = {codes.STALE_BASELINE, "PDS503"}
    known = {*codes.NAMES, *(rule.code for rule in all_rules())} - unseen
    assert [code for code in known if f"[{code}]" not in seen] == []


def test_rules_have_codes_of_their_own():
    found = [rule.code for rule in all_rules()]
    assert found == sorted(set(found))
    assert len({rule.name for rule in all_rules()}) == len(found)
