"""``pdsno validate``: prints every finding of every file in one run."""

from __future__ import annotations

import gc
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.completion import values

if TYPE_CHECKING:
    from pdsno_cli.cli.check_files import Outcome, Request
    from pdsno_cli.cli.outputs import Outputs

_FORMAT_HELP = "full, concise, json, jsonl, sarif, github, gitlab or junit; repeatable, FORMAT=PATH writes a file."

_BASELINE = Path(".pdsno-baseline.json")


def _formats() -> list[str]:
    from pdsno_cli.cli.formats import FORMATS

    return list(FORMATS)


class FailOn(Enum):
    """The least severity of a finding that makes the command exit with 1."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"


def validate(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Topology files; - is stdin, directories walk."),
    ],
    *,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="FORMAT[=PATH]", autocompletion=values(_formats), help=_FORMAT_HELP
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit with 1 on findings this severe.")
    ] = FailOn.ERROR,
    strict: Annotated[
        bool, typer.Option("--strict", help="The same as --fail-on warning.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="The same as --fail-on never.")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="CODE", help="Report only these codes; PDS2 is PDS2xx."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="Do not report these.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Use this instead of the nearest settings."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Accept the findings in this file."),
    ] = None,
    write_baseline: Annotated[
        bool,
        typer.Option(
            "--write-baseline", help="Write all findings to the baseline, and exit with 0."
        ),
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Apply safe fixes to the files.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Print what --fix would change, and change nothing.")
    ] = False,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count findings by code.")
    ] = False,
    env: Annotated[
        bool, typer.Option("--env", help="Use this shell's variables; unset ones are errors.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file is saved.")
    ] = False,
) -> None:
    """Check topology files; nothing is started.

    Reports every finding of YAML syntax, schema and rules. Exits with 0 without errors, 1 with errors, 2 if a file cannot be read.
    """
    # Neither imports nor findings leave cycles; freeze() spares the collection at the exit, too.
    gc.disable()
    from pdsno_cli.cli.check_files import Request, run
    from pdsno_cli.cli.outputs import choose_outputs
    from pdsno_cli.model.errors import UsageError

    if "-" in files and (fix or watch):
        raise UsageError(
            f"cannot {'fix' if fix else 'watch'} standard input"
            + (": --diff prints the changes" if fix else "")
        )
    outputs = choose_outputs(formats or (), as_json=as_json)
    least = FailOn.NEVER if exit_zero else FailOn.WARNING if strict else fail_on
    request = Request(
        files=files,
        config=config,
        select=None if select is None else _codes(select, lowers=False),
        ignore=_codes(ignore or [], lowers=True),
        baseline=_BASELINE if write_baseline and baseline is None else baseline,
        write_baseline=write_baseline,
        fix=fix and not diff,
        diff=diff,
        environment=os.environ if env else None,
    )

    def once() -> int:
        outcome = run(request)
        _show(outcome, request, outputs, statistics=statistics)
        return _status(outcome, least)

    if watch:
        gc.enable()
        from pdsno_cli.cli.watch import watch as repeat

        def shielded() -> None:
            try:
                once()
            except UsageError as exc:  # such as a configuration that is being edited
                console.fail(str(exc))

        repeat(files, shielded, beside=[path for path in (config, baseline) if path])
    status = once()
    gc.freeze()
    raise typer.Exit(status)


def _codes(values: list[str], *, lowers: bool) -> tuple[str, ...]:
    """Return codes, separated by commas; UsageError for an unknown one."""
    from pdsno_cli.lint.settings import code_problem
    from pdsno_cli.model.errors import UsageError

    found = [code for value in values for code in value.replace(",", " ").split()]
    for code in found:
        if (problem := code_problem(code, lowers=lowers)) is not None:
            raise UsageError(problem)
    return tuple("" if code == "ALL" else code for code in found)


def _show(outcome: Outcome, request: Request, outputs: Outputs, *, statistics: bool) -> None:
    from dataclasses import replace

    from pdsno_cli.cli.report import summary
    from pdsno_cli.cli.table import plural

    report = replace(outcome.report, statistics=statistics)
    if request.diff:
        if outcome.diffs:
            console.data("".join(outcome.diffs))
    else:
        outputs.write(report)
    for _, reason in report.unreadable:
        console.fail(reason)
    if report.files:
        closing = summary(report.diagnostics, len(report.files))
        if report.accepted:
            closing += f", {report.accepted} accepted by {request.baseline}"
        if outcome.fixed:
            closing += f", {plural(outcome.fixed, 'fix', 'fixes')} "
            closing += "possible" if request.diff else "applied"
        console.progress(closing)


def _status(outcome: Outcome, least: FailOn) -> int:
    from pdsno_cli.model.diagnostics import Severity
    from pdsno_cli.model.errors import UsageError

    if outcome.report.unreadable:
        return UsageError.exit_code
    if least is FailOn.NEVER:
        return 0
    failing = (Severity.ERROR,) if least is FailOn.ERROR else tuple(Severity)
    found = any(item.severity in failing for item in outcome.report.diagnostics)
    return 1 if found or outcome.diffs else 0
