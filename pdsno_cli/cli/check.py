"""``pdsno check``: the verification checklist of a running topology."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, seconds


def check(
    file: FILE = None,
    drill: Annotated[
        bool,
        typer.Option("--drill", help="Stop the embedded broker for 10 s: does the fallback work?"),
    ] = False,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout", metavar="DURATION", help="How long what is on its way may take to arrive."
        ),
    ] = "5s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Verify a running topology, end to end.

    One line for each check: broker, controllers, reports, summaries, policies, inventories, messages,
    and the fallback with --drill. Exits with 1 if a check fails.
    """
    from pdsno_cli.cli.doctor import print_findings
    from pdsno_cli.cli.target import load
    from pdsno_cli.client.checklist import run_checklist
    from pdsno_cli.client.checklist.plane import Plane

    limit = seconds(timeout)
    topology, state = load(file, state_dir)
    plane = Plane(
        topology=topology,
        state=state,
        timeout=limit,
        drill=drill,
        on_progress=console.progress,
    )
    plane.rows()  # raises UsageError unless it is up
    found = print_findings(topology.name, run_checklist(plane), as_json=as_json)
    if any(item.verdict == "fail" for item in found):
        raise typer.Exit(1)
