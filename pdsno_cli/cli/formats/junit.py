"""``junit``: a JUnit report; a suite for each file, a failed case for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pdsno_cli.cli.formats.base import repository_path, text_of
from pdsno_cli.cli.report import full
from pdsno_cli.model.printable import printable, printable_lines

if TYPE_CHECKING:
    from pdsno_cli.cli.formats.base import Report
    from pdsno_cli.model.diagnostics import Diagnostic


def render(report: Report) -> str:
    """Return the document; a file without findings is a suite with one case that passed."""
    by_file: dict[str, list[Diagnostic]] = {path: [] for path in report.files}
    for item in report.diagnostics:  # one may be about another file, such as the baseline
        by_file.setdefault(item.path, []).append(item)
    root = ET.Element("testsuites", name="pdsno validate")
    for path, found in by_file.items():
        suite = _suite(root, path, cases=max(len(found), 1), failures=len(found), errors=0)
        if not found:
            _case(suite, path, "validate")
        for item in found:
            case = _case(suite, path, f"{item.code} {item.line}:{item.column}")
            message = printable(text_of(item))
            failure = ET.SubElement(case, "failure", message=message, type=item.severity.value)
            failure.text = printable_lines(full([item]))
    for path, reason in report.unreadable:
        suite = _suite(root, path, cases=1, failures=0, errors=1)
        ET.SubElement(_case(suite, path, "read"), "error", message=printable(reason))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, "unicode") + "\n"


def _suite(root: ET.Element, path: str, *, cases: int, failures: int, errors: int) -> ET.Element:
    return ET.SubElement(
        root,
        "testsuite",
        name=printable(repository_path(path)),
        tests=str(cases),
        failures=str(failures),
        errors=str(errors),
        skipped="0",
        time="0",
    )


def _case(suite: ET.Element, path: str, name: str) -> ET.Element:
    file = printable(repository_path(path))
    return ET.SubElement(suite, "testcase", classname=file, name=name, file=file, time="0")
