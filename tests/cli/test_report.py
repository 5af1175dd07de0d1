"""The layout of findings; what a user sees is in test_validate."""

from __future__ import annotations

from pdsno_cli.cli.report import concise, full, summary
from pdsno_cli.model.diagnostics import Diagnostic, Severity

FINDING = Diagnostic(
    path="t.yaml", line=12, column=5, end_column=9, code="PDS101", severity=Severity.ERROR,
    message="unknown role", excerpt="    role: globl", hint="did you mean 'global'?",
)  # fmt: skip


def test_full_underlines_the_place():
    assert full([FINDING]).splitlines() == [
        "t.yaml:12:5: error[PDS101] unknown role",
        " 12 |     role: globl",
        "    |     ^^^^",
        "    = did you mean 'global'?",
    ]


def test_a_long_line_is_cut_around_the_place():
    long = "x" * 300 + "HERE" + "y" * 300
    block = full([Diagnostic(
        path="t.yaml", line=1, column=301, end_column=305, code="PDS101",
        severity=Severity.WARNING, message="m", excerpt=long, hint=None,
    )]).splitlines()  # fmt: skip
    source, carets = block[1].split("| ")[1], block[2].split("| ")[1]
    assert source[carets.index("^") : carets.rindex("^") + 1] == "HERE"
    assert source.startswith("…")
    assert source.endswith("…")


def test_concise_has_one_line_per_finding_and_no_control_characters():
    evil = Diagnostic(
        path="t.yaml", line=1, column=1, code="PDS101", severity=Severity.ERROR,
        message="a\x1b[2Jb\nc", excerpt=None, hint=None,
    )  # fmt: skip
    assert concise([evil]) == "t.yaml:1:1: error[PDS101] a\\x1b[2Jb\\nc\n"


def test_summary_counts():
    assert summary([FINDING], 2) == "1 error in 2 files"
    assert summary([], 1) == "1 file ok"


def test_a_range_over_several_lines_is_underlined_to_the_end_of_its_first():
    block = full([Diagnostic(
        path="t.yaml", line=1, column=4, end_line=3, end_column=2, code="PDS001",
        message="m", excerpt="a: [b, c",
    )]).splitlines()  # fmt: skip
    assert block[2] == "   |    ^^^^^"
