"""``pdsno plan``: shows what ``pdsno up`` would change of what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

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
    topology, state = load(file, state_dir)
    found = show_plan(topology, state, as_json=as_json)
    if detailed_exitcode and found["changed"]:
        raise typer.Exit(EXIT_CHANGES)


def show_plan(topology: Topology, state: StateDir, *, as_json: bool = False) -> dict[str, Any]:
    """Print the plan from what runs to a topology; return it as JSON has it."""
    from pdsno_cli.client.applying import find_plan

    found = find_plan(topology, state)
    if as_json:
        console.data(json.dumps(found, indent=2))
    elif not found["changed"]:
        console.data(f"{topology.name}: nothing to change")
    else:
        from pdsno_cli.cli.plan_text import plan_text

        console.data(plan_text(found))
    if not found["running"]:
        from pdsno_cli.cli.dry_run import warn_of_missing

        warn_of_missing(topology)
    return found
