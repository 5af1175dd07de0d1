"""``pdsno status``: the controllers of a running topology."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.running import JSON, STATE_DIR, running
from pdsno_cli.cli.table import table

_HEAD = ("controller", "role", "region", "state", "transport", "carried", "pid", "cycle", "devices", "sent",
         "committed", "waiting", "quarantined", "duplicates", "refused", "restarts")  # fmt: skip


def status(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]")] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the controllers of a running topology."""
    from pdsno_cli.supervisor.control import ask

    _, state = running(file, state_dir)
    report = ask(state.control, {"op": "status"})
    if as_json:
        console.data(json.dumps(report, indent=2))
        return
    console.data(f"{report['topology']}: {report['broker']}")
    rows = [_cells(row) for row in report["controllers"]]
    # What nobody has to be told of has no column.
    shown = [n for n, name in enumerate(_HEAD) if name != "quarantined" or _any(rows, n)]
    console.data(table([_HEAD[n] for n in shown], [[row[n] for n in shown] for row in rows]))


def _any(rows: list[tuple[str, ...]], column: int) -> bool:
    return any(row[column] not in ("", "0") for row in rows)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    local = row["role"] == "local"
    cycle = f"{row['cycle']} {row['outcome']}" if row["cycle"] else ""
    return (
        row["id"],
        row["role"],
        row["region"] or "",
        row["state"],
        row["transport"] or "",
        ", ".join(f"{count} {name}" for name, count in row["carried"].items()),
        _number(row["pid"]),
        cycle,
        _number(row["devices"]),
        str(row["sent"]) if local else "",
        _number(row["committed"]),
        str(row["waiting"]),
        "" if local else str(row["quarantined"]),
        "" if local else str(row["duplicates"]),
        str(sum(row["refused"].values())),
        str(row["restarts"]),
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
