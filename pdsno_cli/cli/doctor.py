"""``pdsno doctor``: checks machine, state and broker for a topology."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.client.doctor.finding import Finding

FORMAT_VERSION = 1
_COLOURS = {"ok": "32", "warn": "33", "fail": "31", "skip": "2"}  # SGR parameters
_COLUMN = 17  # columns of a check's name


def doctor(file: FILE = None, as_json: JSON = False, state_dir: STATE_DIR = None) -> None:
    """Check machine, state and broker for a topology.

    One line for each check, and what to do. Publishes only below ROOT/doctor, and leaves nothing there.
    Exits with 1 if a check fails; warnings do not count.
    """
    from pdsno_cli.cli.target import load
    from pdsno_cli.client.doctor import examine
    from pdsno_cli.client.doctor.subject import Subject

    topology, state = load(file, state_dir)
    found = print_findings(
        topology.name, examine(Subject(topology=topology, state=state)), as_json=as_json
    )
    if any(item.verdict == "fail" for item in found):
        raise typer.Exit(1)


def print_findings(name: str, findings: Iterable[Finding], *, as_json: bool) -> list[Finding]:
    """Print each finding as it comes, or all as JSON; return them."""
    from dataclasses import asdict

    found: list[Finding] = []
    for item in findings:
        found.append(item)
        if not as_json and not console.data(_text(item)):
            break
    if as_json:
        console.document(FORMAT_VERSION, name, checks=[asdict(item) for item in found])
    return found


def _text(item: Finding) -> str:
    """Return a finding on a line, its hint below it; both wrapped to the terminal."""
    verdict = item.verdict.upper() if item.verdict == "fail" else item.verdict
    head = f"{verdict:<4}  {item.check:<{_COLUMN}}"
    if console.colour(sys.stdout):
        head = f"\033[{_COLOURS[item.verdict]}m{verdict:<4}\033[0m  {item.check:<{_COLUMN}}"
    lines = _wrapped(item.text)
    if item.hint is not None:
        lines += [
            f"→ {line}" if n == 0 else f"  {line}" for n, line in enumerate(_wrapped(item.hint))
        ]
    blank = " " * (_COLUMN + 8)
    return "\n".join(f"{head if n == 0 else blank[2:]}  {line}" for n, line in enumerate(lines))


def _wrapped(text: str) -> list[str]:
    from pdsno_cli.model.printable import printable

    return textwrap.wrap(
        printable(text),
        max(console.width() - _COLUMN - 10, 20),
        break_long_words=False,
        break_on_hyphens=False,
    )
