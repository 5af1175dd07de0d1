"""``pdsno status``: prints the controllers of a running topology; ``pdsno ps`` is the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, WIDE
from pdsno_cli.cli.completion import regions, values
from pdsno_cli.cli.target import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the controllers of a running topology.

    Columns that do not fit the terminal are left out; more controllers than fit are counted by region,
    and those that are not ready shown by name. Exits with 1 unless every one that was asked for is ready.
    """
    from pdsno_cli.cli.status_view import status_text
    from pdsno_cli.supervisor.control import ask

    report = ask(locate(file, state_dir).state.control, {"op": "status"})
    rows = _chosen(report["controllers"], region, role)
    if as_json:
        console.data(json.dumps(report | {"controllers": rows}, indent=2))
    else:
        height = None if everything or wide else console.height()
        width = console.width()
        console.data(status_text(report, rows, width=width, height=height, wide=wide))
    filtered = region is not None or role is not None
    if not (all(row["health"] == "ready" for row in rows) if filtered else report["well"]):
        raise typer.Exit(1)


def _chosen(
    rows: Sequence[dict[str, Any]], region: str | None, role: str | None
) -> list[dict[str, Any]]:
    """Return the rows of a region and a role; raises UsageError, with the nearest, if unknown."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import did_you_mean

    regions = sorted({row["region"] for row in rows if row["region"] is not None})
    for name, value, known in (("region", region, regions), ("role", role, _ROLES)):
        if value is not None and value not in known:
            hint = did_you_mean(value, known) or f"one of: {', '.join(known)}"
            raise UsageError(f"no {name} {value!r}: {hint}")
    return [
        row
        for row in rows
        if (region is None or row["region"] == region) and (role is None or row["role"] == role)
    ]
