"""Cases whose findings were fixed from the text: each mark stands under the place of a finding.

A file of `err/*.cases` holds cases, each under `=== its name`. A line of carets and a code marks the line
above it and is no part of the case: there has to be exactly that finding, at the first caret. What a
case leaves out is valid and is added at its end, without `regions:` for example if it has `x-regions:`;
nothing is added after `=== its name (whole)`; `(env)` checks it
with an empty environment. The findings in full, with hints, are in the file of the same name with `.out`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from pdsno_cli.cli.report import full
from pdsno_cli.lint.engine import check

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("err/*.cases"))
MARK = re.compile(r"^ *(?P<carets>\^+) (?P<code>PDS\d{3})$")
REST = {
    "name": "name: case\n",
    "regions": "regions: {zone-A: {}}\n",
    "controllers": """\
controllers:
  global_cntl_1: {role: global}
  regional_cntl_1: {role: regional, region: zone-A}
  local_cntl_1: {role: local, region: zone-A, discovery: {targets: 10.0.1.0/24}}
""",
}


@dataclass(frozen=True, kw_only=True)
class Case:
    file: Path
    name: str
    text: str
    marks: list[tuple[int, int, str]]
    env: bool


def cases(file: Path) -> list[Case]:
    found = []
    for part in re.split(r"(?m)^=== ", file.read_text("utf-8"))[1:]:
        title, _, body = part.partition("\n")
        name, _, options = title.partition(" (")
        lines: list[str] = []
        marks = []
        for line in body.rstrip("\n").split("\n"):
            mark = MARK.match(line)
            if mark is None:
                lines.append(line)
            else:
                marks.append((len(lines), mark.start("carets") + 1, mark["code"]))
        text = "\n".join(lines) + "\n"
        if "whole" not in options:
            text += "".join(
                rest for key, rest in REST.items() if not re.search(rf"(?m)^(x-)?{key}:", text)
            )
        case = Case(file=file, name=name, text=text, marks=sorted(marks), env="env" in options)
        found.append(case)
    return found


ALL = [case for file in FILES for case in cases(file)]


def findings(case: Case, folder: Path):
    (folder / "case.yaml").write_bytes(case.text.encode())
    return check("case.yaml", environment={} if case.env else None).diagnostics


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.file.stem}-{case.name}")
def test_each_mark_is_a_finding_and_there_is_no_other(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = findings(case, tmp_path)
    assert sorted((item.line, item.column, item.code) for item in found) == case.marks, full(found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_findings_read_as_recorded(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = "\n".join(f"=== {case.name}\n{full(findings(case, tmp_path))}" for case in cases(file))
    golden = file.with_suffix(".out")
    if os.environ.get("PDSNO_UPDATE_GOLDEN"):
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")


ADVICE = re.compile(
    r"(?:did you mean '?(?P<name>[^'?]+)'?\?|write (?:\w+: )?(?P<value>\S+|\[.*\]))"
)


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.file.stem}-{case.name}")
def test_following_a_hint_mends_the_place(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for item in findings(case, tmp_path):
        advice = ADVICE.fullmatch(item.hint or "")
        if item.code == "PDS001" or advice is None:
            continue
        lines = case.text.split("\n")
        line = lines[item.line - 1]
        new = advice["name"] or advice["value"]
        if item.code == "PDS101" and advice["value"]:
            new = item.hint.removeprefix("write ")
        lines[item.line - 1] = line[: item.column - 1] + new + line[item.end_column - 1 :]
        mended = Case(file=case.file, name="", text="\n".join(lines), marks=[], env=case.env)
        left = findings(mended, tmp_path)
        assert [one for one in left if one.line == item.line and one.code == item.code] == []


def test_names_are_unique_and_each_case_has_a_mark():
    names = [(case.file, case.name) for case in ALL]
    assert len(names) == len(set(names))
    assert [case.name for case in ALL if not case.marks] == []
