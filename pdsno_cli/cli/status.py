"""``pdsno status``: prints the controllers of a running topology; ``pdsno ps`` is the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, WIDE
from pdsno_cli.cli.completion import regions, values
from pdsno_cli.cli.target import load, locate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ROLES = ("global", "regional", "local")


def status(
    file: FILE = None,
    *,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="REGION", autocompletion=regions, help="Show one region only."
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            metavar="|".join(_ROLES),
            autocompletion=values(_ROLES),
            help="Show controllers of one role only.",
        ),
    ] = None,
    wide: WIDE = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every controller, though they are many.")
    ] = False,
    broker: Annotated[
        bool, typer.Option("--broker", help="Show the broker and its own statistics ($SYS).")
    ] = False,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the controllers of a running topology.

    Columns that do not fit the terminal are left out; more controllers than fit are counted by region,
    and those that are not ready shown by name. Exits with 1 unless every one that was asked for is ready. Without a
    supervisor on this machine it shows what a declared broker tells, and exits with 1 unless all are alive.
    """
    from pdsno_cli.cli.status_view import status_text

    report = _report(file, state_dir)
    rows = _chosen(report["controllers"], region, role)
    if broker:
        from pdsno_cli.cli.broker_view import show_broker

        show_broker(report, *load(file, state_dir), as_json=as_json)
    elif report["source"] == "heard" and not as_json:
        from pdsno_cli.cli.heard_view import status_text as heard_text

        console.data(heard_text(report, rows, width=None if wide else console.width()))
    elif as_json:
        console.data(json.dumps(report | {"controllers": rows}, indent=2))
    else:
        height = None if everything or wide else console.height()
        width = console.width()
        console.data(status_text(report, rows, width=width, height=height, wide=wide))
    filtered = region is not None or role is not None
    good = ("ready", "alive")
    if not (all(row["health"] in good for row in rows) if filtered else report["well"]):
        raise typer.Exit(1)


def _report(file: Path | None, state_dir: Path | None) -> dict[str, Any]:
    from pdsno_cli.client.plane_status import read_status

    state = locate(file, state_dir).state
    return read_status(state, lambda: load(file, state_dir), console.progress)


def _chosen(
    rows: Sequence[dict[str, Any]], region: str | None, role: str | None
) -> list[dict[str, Any]]:
    """Return the rows of a region and a role; raises UsageError, with the nearest, if unknown."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import suggest

    regions = sorted({row["region"] for row in rows if row["region"] is not None})
    for name, value, known in (("region", region, regions), ("role", role, _ROLES)):
        if value is not None and value not in known:
            raise UsageError(f"no {name} {value!r}: {suggest(value, known)}")
    return [
        row
        for row in rows
        if (region is None or row["region"] == region) and (role is None or row["role"] == role)
    ]
