"""Each format as those who read it do: limits, escapes, fingerprints, paths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from junitparser import JUnitXml

from pdsno_cli.cli.formats import FORMATS, render
from pdsno_cli.cli.formats.base import Report, repository_path
from pdsno_cli.cli.formats.github import not_shown, step_summary
from pdsno_cli.lint.catalogue import documentation, help_uri, names
from pdsno_cli.model.diagnostics import Diagnostic, Edit, Severity

EDIT = Edit(line=12, column=11, end_line=12, end_column=16, text="global")
FINDING = Diagnostic(
    path="a b/t:1.yaml", line=12, column=11, end_column=16, code="PDS104",
    message="100 % wrong,\nreally", excerpt="    role: globl", hint="did you mean 'global'?",
    fix=(EDIT,),
)  # fmt: skip
WARNING = Diagnostic(
    path="./u.yaml", line=3, column=2, code="PDS221", severity=Severity.WARNING, message="wide\x1b"
)
WHOLE = Diagnostic(path="-", line=0, column=0, code="PDS003", message="too large")
REPORT = Report(
    diagnostics=[WHOLE, FINDING, WARNING],
    files=["-", "a b/t:1.yaml", "./u.yaml", "good.yaml"],
    unreadable=[("gone.yaml", "cannot read gone.yaml: No such file")],
    accepted=2,
)
CLEAN = Report(diagnostics=[], files=["good.yaml"])
ODD = Report(
    diagnostics=[Diagnostic(path="\udcff.yaml", line=1, column=1, code="PDS001", message="m")],
    files=["\udcff.yaml"],
)


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch):
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("report", [REPORT, CLEAN, ODD])
def test_format_renders_every_report_without_control_characters(name, report):
    text = render(name, report)
    assert not text or text.endswith("\n")
    assert "\x1b" not in text


def test_json_counts_and_gives_every_finding_a_range_and_its_fix():
    document = json.loads(render("json", REPORT))
    assert (document["errors"], document["warnings"], document["files"]) == (2, 1, 4)
    assert (document["accepted"], document["unreadable"][0]["path"]) == (2, "gone.yaml")
    ranges = [
        [item[k] for k in ("line", "column", "end_line", "end_column")]
        for item in document["findings"]
    ]
    assert ranges == [[0, 0, 0, 0], [12, 11, 12, 16], [3, 2, 3, 3]]
    assert document["findings"][1]["fix"] == [
        {"line": 12, "column": 11, "end_line": 12, "end_column": 16, "text": "global"}
    ]


def test_jsonl_has_a_line_for_each_finding_and_each_unreadable_file():
    rows = [json.loads(line) for line in render("jsonl", REPORT).splitlines()]
    assert [row.get("code") for row in rows] == ["PDS003", "PDS104", "PDS221", None]
    assert rows[3] == {"path": "gone.yaml", "unreadable": "cannot read gone.yaml: No such file"}
    assert rows[:3] == json.loads(render("json", REPORT))["findings"]


def test_page_of_a_rule_is_below_the_documentation_of_the_project_or_a_name():
    below = help_uri("PDS101", "https://docs.example.net/pdsno/")
    assert below == "https://docs.example.net/pdsno/rules.md#pds101-unknown-key"
    assert help_uri("PDS101", None) == "urn:pdsno:rule:PDS101"


def test_sarif_has_relative_encoded_uris_columns_from_one_and_a_page_for_each_rule():
    (run,) = json.loads(render("sarif", REPORT))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(names())
    assert [rule["helpUri"] for rule in rules] == [
        help_uri(code, documentation()) for code in names()
    ]
    assert all(rule["fullDescription"]["text"] and rule["help"]["markdown"] for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        for location in result["locations"]:
            region = location["physicalLocation"].get("region", {"startLine": 1, "startColumn": 1})
            assert min(region.values()) >= 1
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    ]
    assert uris == ["stdin", "a%20b/t%3A1.yaml", "u.yaml"]
    assert run["invocations"][0]["executionSuccessful"] is False
    note = run["invocations"][0]["toolExecutionNotifications"][0]
    assert note["message"]["text"] == "cannot read gone.yaml: No such file"


def test_sarif_keeps_to_the_limit_of_results_errors_first(monkeypatch):
    monkeypatch.setattr("pdsno_cli.cli.formats.sarif.MOST_RESULTS", 2)
    many = Report(diagnostics=[WARNING, WARNING, FINDING], files=["u.yaml"])
    (run,) = json.loads(render("sarif", many))["runs"]
    assert [item["level"] for item in run["results"]] == ["error", "warning"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 more findings are left out")


def test_fingerprints_differ_for_alike_findings_and_not_by_line():
    def prints(*found):
        report = Report(diagnostics=found, files=["u.yaml"])
        (run,) = json.loads(render("sarif", report))["runs"]
        sarif = [item["partialFingerprints"]["pdsnoFinding/v1"] for item in run["results"]]
        assert [item["fingerprint"] for item in json.loads(render("gitlab", report))] == sarif
        return sarif

    moved = Diagnostic(
        path="u.yaml",
        line=9,
        column=5,
        code="PDS221",
        severity=Severity.WARNING,
        message="wide\x1b",
    )
    assert prints(WARNING) == prints(moved)
    assert len(set(prints(WARNING, moved, WARNING))) == 3


def test_github_escapes_data_and_properties():
    lines = render("github", REPORT).splitlines()
    assert lines[0] == "::error title=pdsno::cannot read gone.yaml: No such file"
    assert lines[1] == "::error file=stdin,title=PDS003::too large"
    assert lines[2] == (
        "::error file=a b/t%3A1.yaml,line=12,endLine=12,col=11,endColumn=16,title=PDS104::"
        "100 %25 wrong,%0Areally (did you mean 'global'?)"
    )
    assert lines[3].startswith("::warning file=u.yaml,line=3,endLine=3,col=2,endColumn=3,")


def test_github_counts_what_it_does_not_show():
    many = Report(diagnostics=[FINDING] * 25 + [WARNING] * 11, files=["u.yaml"])
    assert not_shown(many) == 16
    lines = render("github", many).splitlines()
    assert len(lines) == 37
    assert lines[-1].startswith("::notice title=pdsno::16 more findings are in the log")
    assert not_shown(Report(diagnostics=[FINDING] * 10 + [WARNING] * 10, files=[])) == 0


def test_step_summary_is_a_bounded_table():
    text = step_summary(Report(diagnostics=[FINDING] * 3000, files=["u.yaml"]))
    assert text.startswith("### pdsno validate: 3000 errors in 1 file\n")
    assert len(text) < 100_000
    assert "2800 more findings are in the log." in text
    assert "100 % wrong,\\\\nreally" in text


def test_gitlab_has_what_its_documentation_asks_for():
    issues = json.loads(render("gitlab", REPORT))
    assert [item["severity"] for item in issues] == ["blocker", "major", "major", "minor"]
    assert issues[2]["location"] == {"path": "a b/t:1.yaml", "lines": {"begin": 12, "end": 12}}
    assert issues[3]["location"]["path"] == "u.yaml"
    assert issues[2]["check_name"] == "PDS104"
    assert issues[1]["location"]["lines"]["begin"] == 1
    assert json.loads(render("gitlab", CLEAN)) == []


def test_junit_is_read_by_a_parser(tmp_path):
    path = tmp_path / "report.xml"
    path.write_text(render("junit", REPORT), "utf-8")
    parsed = JUnitXml.fromfile(str(path))
    assert (parsed.tests, parsed.failures, parsed.errors) == (5, 3, 1)
    suites = {suite.name: [case for case in suite] for suite in parsed}  # noqa: C416  # its own iterator
    assert [case.is_passed for case in suites["good.yaml"]] == [True]
    (failure,) = suites["a b/t:1.yaml"][0].result
    assert failure.type == "error"
    assert "^^^^^" in failure.text


def test_paths_are_relative_to_the_repository_of_ci(tmp_path, monkeypatch):
    inner = tmp_path / "net" / "lab"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert repository_path("./t.yaml") == "t.yaml"
    assert repository_path("../t.yaml") == str(tmp_path / "net" / "t.yaml")
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    assert repository_path("./t.yaml") == "net/lab/t.yaml"
    assert repository_path("../t.yaml") == "net/t.yaml"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "elsewhere"))
    assert repository_path("t.yaml") == "net/lab/t.yaml"
    assert repository_path(str(Path("/etc/t.yaml"))) == "/etc/t.yaml"
