"""``pdsno plan``: shows what ``pdsno up`` would change of what runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, load

EXIT_CHANGES = 2


def plan(
    file: FILE = None,
    *,
    as_json: JSON = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option("--detailed-exitcode", help="Exit 2 if there are changes, 0 if none."),
    ] = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Compare a topology file with what runs; change nothing."""
    from pdsno_cli.client.applying import find_plan

    topology, state = load(file, state_dir)
    found = find_plan(topology, state)
    if as_json:
        console.data(json.dumps(found, indent=2))
    elif not found["changed"]:
        console.data(f"{topology.name}: nothing to change")
    else:
        from pdsno_cli.cli.plan_text import plan_text

        console.data(plan_text(found))
    if detailed_exitcode and found["changed"]:
        raise typer.Exit(EXIT_CHANGES)
