"""``pdsno status``: prints the controllers of a running topology."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR
from pdsno_cli.cli.table import table
from pdsno_cli.cli.target import locate
from pdsno_cli.model.printable import printable

_WIDTH = 80  # columns of the lines below the table
_NAMED = 3  # controllers that a line names
_HEAD = ("controller", "role", "region", "state", "transport", "carried", "pid", "cycle", "devices", "sent",
         "committed", "waiting", "quarantined", "duplicates", "refused", "restarts")  # fmt: skip


def status(
    file: FILE = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the controllers of a running topology.

    Exits with 1 unless every one is ready.
    """
    from pdsno_cli.supervisor.control import ask

    state = locate(file, state_dir).state
    report = ask(state.control, {"op": "status"})
    if as_json:
        console.data(json.dumps(report, indent=2))
    else:
        console.data(_text(report))
    if not report["well"]:
        raise typer.Exit(1)


def _text(report: dict[str, Any]) -> str:
    broker = report["broker_state"]
    head = f"{report['topology']}: {report['broker']}"
    if broker is not None:
        head += f", {_since(broker)}"
    rows = [_cells(row) for row in report["controllers"]]
    # An empty quarantine has no column.
    shown = [n for n, name in enumerate(_HEAD) if name != "quarantined" or _any(rows, n)]
    text = table([_HEAD[n] for n in shown], [[row[n] for n in shown] for row in rows])
    return "\n".join([head, text, *_troubles(report)]).rstrip("\n")


def _since(state: dict[str, Any]) -> str:
    """Return a transport's state: since when it is up or away, and the next try."""
    if state["up"]:
        return f"up for {_seconds(state['for'])}"
    text = f"away for {_seconds(state['for'])}"
    if state["next_try_in"] is not None:
        text += f", next try in {_seconds(state['next_try_in'])}"
    return text


def _troubles(report: dict[str, Any]) -> list[str]:
    """Return the problems of controllers, wrapped; controllers with the same reason share a line."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in report["controllers"]:
        if row["health"] in ("degraded", "down", "failed"):
            # The same reason with another age is the same.
            found.setdefault(re.sub(r"\d+ s$", "… s", row["reason"] or ""), []).append(row)
    lines: list[str] = []
    for rows in found.values():
        first = rows[0]
        tries = [state for state in first["transports"].values() if state["reason"] is not None]
        when = f" ({_since(tries[0])})" if tries and not tries[0]["up"] else ""
        names = ", ".join(row["id"] for row in rows[:_NAMED])
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        text = printable(f"{names}{more}: {first['health']}: {first['reason'] or 'unknown'}{when}")
        lines += textwrap.wrap(
            text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return lines


def _seconds(value: float) -> str:
    return f"{value:.0f} s"


def _any(rows: list[tuple[str, ...]], column: int) -> bool:
    return any(row[column] not in ("", "0") for row in rows)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    local = row["role"] == "local"
    cycle = f"{row['cycle']} {row['outcome']}" if row["cycle"] else ""
    return (
        row["id"],
        row["role"],
        row["region"] or "",
        _state(row),
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


def _state(row: dict[str, Any]) -> str:
    """Return the reported state of a controller, or its health if it reports ready."""
    return str(row["health"] if row["state"] == "ready" else row["state"])
