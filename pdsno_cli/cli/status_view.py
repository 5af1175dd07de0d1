"""Formats the status report of a run for people: rows or regions, then problems; pure."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli.table import fitted, plural, table
from pdsno_cli.model.durations import format_age
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Row = dict[str, Any]

_NAMED = 3  # controllers that a line names
_HEAD = ("controller", "role", "region", "state", "transport", "carried", "pid", "cycle", "devices", "sent",
         "committed", "waiting", "quarantined", "duplicates", "refused", "restarts")  # fmt: skip
# Columns that a narrow terminal lacks, those first that are missed least.
_DROP = ("pid", "carried", "committed", "sent", "role", "transport", "region", "duplicates", "refused",
         "restarts", "cycle", "waiting", "devices", "quarantined")  # fmt: skip
_COUNTS = ("waiting", "quarantined", "duplicates", "refused", "restarts")  # shown if not all are 0
_BESIDE = 3  # lines of a terminal that are no row: the head, the titles, the prompt
_LEAST = 3  # rows that are shown in the smallest terminal
_PROBLEMS = ("degraded", "down", "failed", "stopped")

_HELD = "\N{NO-BREAK SPACE}"  # a blank that is not the end of a line


def status_text(
    report: dict[str, Any],
    rows: Sequence[Row],
    *,
    width: int,
    height: int | None = None,
    wide: bool = False,
) -> str:
    """Return the status of a run, of which ``rows`` are to be shown.

    More rows than ``height`` holds become a line for each region; None shows every row. ``wide``
    shows every column, whatever the ``width``.
    """
    troubles = _troubles(rows, width)
    below = len(troubles) + len(_warnings(rows, width))
    head = _wrapped(_head(report, rows), width)
    if height is not None and len(rows) + len(head) + below + _BESIDE - 1 > height:
        room = max(height - len(head) - _BESIDE, 2 * _LEAST)
        more = f"every controller: pdsno ps {report['topology']} --all; one region: --region REGION"
        return "\n".join([*head, *_rolled_up(rows, width, room), *_wrapped(more, width)])
    table_ = _rows(rows, None if wide else width).rstrip("\n")
    return "\n".join([*head, table_, *troubles, *_warnings(rows, width)])


def _head(report: dict[str, Any], rows: Sequence[Row]) -> str:
    broker = report["broker_state"]
    text = f"{report['topology']}: {report['broker']}"
    if broker is not None:
        text += f", {_since(broker)}"
    ready = sum(row["health"] == "ready" for row in rows)
    return f"{text}; {ready}/{len(rows)}{_HELD}ready"


def _rows(rows: Sequence[Row], width: int | None) -> str:
    cells = [_cells(row) for row in rows]
    shown = [
        n
        for n, title in enumerate(_HEAD)
        if width is None or title not in _COUNTS or any(row[n] not in ("", "0") for row in cells)
    ]
    return fitted(
        [_HEAD[n] for n in shown],
        [[row[n] for n in shown] for row in cells],
        width=width,
        drop=_DROP,
    )


def _rolled_up(rows: Sequence[Row], width: int, room: int) -> list[str]:
    """Return a line for each region, then the controllers that are not ready, in ``room`` lines.

    Regions with problems come first, controllers with problems before those that start.
    """
    regions: dict[str, list[Row]] = {}
    for row in rows:
        regions.setdefault(row["region"] or "", []).append(row)
    calm = {name: all(row["health"] == "ready" for row in found) for name, found in regions.items()}
    order = sorted(regions, key=lambda name: calm[name])
    sick = [row for row in rows if row["health"] != "ready"]
    sick.sort(key=lambda row: row["health"] not in _PROBLEMS)
    # Half of the lines for each, and what one does not need for the other.
    least = min(len(order), max(room // 2, room - _lines_of(sick)))
    shown = order[: max(least, 1)]
    lines = table(
        ("region", "ready", "devices", "waiting"),
        [_region(name, regions[name]) for name in shown],
    ).splitlines()
    if hidden := order[len(shown) :]:
        well = all(calm[name] for name in hidden)
        lines.append(f"… {plural(len(hidden), 'more region')}" + (", all ready" if well else ""))
    left = max(room - len(lines), _LEAST)
    warnings = _warnings(rows, width)
    if sick:
        lines += _sick(sick, width, left - len(warnings))
    return lines + warnings


def _lines_of(sick: Sequence[Row]) -> int:
    return 2 * len(sick) + 3 if sick else 1


def _sick(sick: Sequence[Row], width: int, room: int) -> list[str]:
    """Return the controllers that are not ready in about ``room`` lines, grouped by reason."""
    troubles = _troubles([row for row in sick if row["health"] in _PROBLEMS], width)
    room = max(room - len(troubles) - 2, _LEAST)
    lines = _rows(sick[:room], width).splitlines()
    if len(sick) > room:
        lines.append(f"… {len(sick) - room} more are not ready")
    return ["", *lines, *troubles]


def _region(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return a region's cells; what has none is the global controller, by its id."""
    if not name:
        name = rows[0]["id"] if len(rows) == 1 else "(none)"
    ready = sum(row["health"] == "ready" for row in rows)
    # A parent counts the devices of its children again.
    counted = [row for row in rows if row["role"] == "local"] or rows[:1]
    devices = sum(row["devices"] or 0 for row in counted)
    waiting = sum(row["waiting"] for row in rows)
    return (name, f"{ready}/{len(rows)}", str(devices), str(waiting))


def _since(state: dict[str, Any]) -> str:
    """Return a transport's state: since when it is up or away, and the next try."""
    if state["up"]:
        return f"up for {format_age(state['for'])}"
    text = f"away for {format_age(state['for'])}"
    if state["next_try_in"] is not None:
        text += f", next try in {format_age(state['next_try_in'])}"
    return text


def _troubles(rows: Iterable[Row], width: int) -> list[str]:
    """Return the problems of controllers, wrapped; controllers with the same reason share a line."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["health"] in _PROBLEMS and (row["reason"] or row["health"] != "stopped"):
            # The same reason with another age is the same.
            reason = re.sub(r"(\d+ (s|min|h|d) ?)+$", "…", row["reason"] or "")
            found.setdefault((row["health"], reason), []).append(row)
    lines: list[str] = []
    for alike in found.values():
        first = alike[0]
        text = f"{_names(alike)}: {first['health']}: {first['reason'] or 'unknown'}{_when(first)}"
        lines += _wrapped(printable(text), width)
    return lines


def _warnings(rows: Iterable[Row], width: int) -> list[str]:
    """Return the warnings of controllers, wrapped; those that differ in numbers alone share a line."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["warning"] is not None:
            found.setdefault(row["warning"].partition(": ")[2], []).append(row)
    lines: list[str] = []
    for text, alike in found.items():
        what = alike[0]["warning"] if len(alike) == 1 else f"snmp: {text}"
        lines += _wrapped(f"{_names(alike)}: warning: {printable(what)}", width)
    return lines


def _names(rows: Sequence[Row]) -> str:
    names = ", ".join(row["id"] for row in rows[:_NAMED])
    return names + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")


def _when(row: Row) -> str:
    """Return when the next try of a controller with a problem is, in brackets."""
    if row.get("next_start_in") is not None:
        return f" (next start in {format_age(row['next_start_in'])})"
    tries = [state for state in row["transports"].values() if state["reason"] is not None]
    return f" ({_since(tries[0])})" if tries and not tries[0]["up"] else ""


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_HELD, " ") for line in lines]


def _cells(row: Row) -> tuple[str, ...]:
    local = row["role"] == "local"
    outcome = "" if row["outcome"] == "complete" else f" {row['outcome']}"
    return (
        row["id"],
        row["role"],
        row["region"] or "",
        _state(row),
        row["transport"] or "",
        ", ".join(f"{count} {name}" for name, count in row["carried"].items()),
        _number(row["pid"]),
        f"{row['cycle']}{outcome}" if row["cycle"] else "",
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


def _state(row: Row) -> str:
    """Return the reported state of a controller, or its health if it reports ready."""
    return str(row["health"] if row["state"] == "ready" else row["state"])
