"""Arranges a status report for ``pdsno top``: regions, folded or not, and one controller; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.columns import fitting
from pdsno_cli.model.durations import format_age

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Report = Mapping[str, Any]
    Controller = Mapping[str, Any]

ORDERS = ("region", "state", "devices", "waiting", "id")
HEAD = ("controller", "state", "role", "transport", "cycle", "devices", "waiting", "restarts", "reason")  # fmt: skip
# Columns that a narrow terminal lacks, those first that are missed least.
_DROP = ("restarts", "role", "transport", "waiting", "cycle", "reason", "devices")
_SPARSE = ("restarts", "reason")  # shown if not all are 0 or empty
_SICKEST_FIRST = ("failed", "down", "degraded", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is shown: ``folded`` regions without their controllers, ids and states with ``needle``."""

    folded: frozenset[str] = frozenset()
    needle: str = ""
    order: str = ORDERS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row: a region, or a controller where ``controller_id`` is its id."""

    key: str
    cells: tuple[str, ...]
    health: str  # of a region: that of its sickest controller
    controller_id: str | None = None


def arrange(report: Report, view: View) -> list[Line]:
    """Return the rows: by region with a line for each, or in one list by another order."""
    found = [row for row in report["controllers"] if _matches(row, view.needle)]
    if view.order != "region":
        return [_controller(row, "") for row in sorted(found, key=lambda r: _rank(r, view.order))]
    lines: list[Line] = []
    for name in dict.fromkeys(row["region"] for row in found):
        rows = [row for row in found if row["region"] == name]
        if name is None:
            lines += [_controller(row, "") for row in rows]
            continue
        folded = name in view.folded
        lines.append(_region(name, rows, folded=folded))
        if not folded:
            lines += [_controller(row, "  ") for row in rows]
    return lines


def columns_of(lines: Sequence[Line], width: int) -> list[int]:
    """Return the columns of ``HEAD`` to show in ``width``; those where nothing stands are left out."""
    cells = [line.cells for line in lines]
    useful = [
        n
        for n, name in enumerate(HEAD)
        if name not in _SPARSE or any(row[n] not in ("", "0") for row in cells)
    ]
    head = [HEAD[n] for n in useful]
    rows = [[row[n] for n in useful] for row in cells]
    return [useful[n] for n in fitting(head, rows, width=max(width, 1), drop=_DROP)]


def state_of(row: Controller) -> str:
    """Return the reported state of a controller, or its health if it reports ready."""
    return str(row["health"] if row["state"] == "ready" else row["state"])


def about(row: Controller) -> list[str]:
    """Return the status of a controller, a line for each thing that is known."""
    if "state" not in row:
        return [f"{row['id']}  does not run here any more"]
    region = f" of {row['region']}" if row["region"] else ""
    lines = [f"{row['id']}  {row['role']}{region}"]
    state = f"{row['state']}, {row['health']}"
    lines.append(f"state      {state}{': ' + row['reason'] if row['reason'] else ''}")
    for name, transport in row["transports"].items():
        if transport["up"]:
            text = f"up for {format_age(transport['for'])}"
        else:
            text = f"away for {format_age(transport['for'])}: {transport['reason'] or 'unknown'}"
            if transport["next_try_in"] is not None:
                text += f", next try in {format_age(transport['next_try_in'])}"
        lines.append(f"{name:<9}  {text}, {row['carried'].get(name, 0)} messages")
    if row["cycle"]:
        age = "" if row["last_cycle_age"] is None else f", {format_age(row['last_cycle_age'])} ago"
        lines.append(f"cycle      {row['cycle']} {row['outcome']}{age}")
    lines.append(f"devices    {'-' if row['devices'] is None else row['devices']}")
    lines.append(
        f"messages   {row['sent']} sent, {row['waiting']} waiting, "
        f"{row['quarantined']} in quarantine, {row['duplicates']} duplicates, "
        f"{sum(row['refused'].values())} refused"
    )
    lines.append(f"process    {row['pid'] or '-'}, {row['restarts']} restarts")
    return lines


def _matches(row: Controller, needle: str) -> bool:
    return not needle or any(
        needle in text for text in (row["id"], row["region"] or "", state_of(row), row["role"])
    )


def _rank(row: Controller, order: str) -> tuple[object, ...]:
    if order == "state":
        health = row["health"]
        return (_severity(health), health, row["id"])
    if order == "id":
        return (row["id"],)
    return (-(row[order] or 0), row["id"])


def _severity(health: str) -> int:
    if health == "ready":
        return len(_SICKEST_FIRST) + 1
    return _SICKEST_FIRST.index(health) if health in _SICKEST_FIRST else len(_SICKEST_FIRST)


def _region(name: str, rows: Sequence[Controller], *, folded: bool) -> Line:
    ready = sum(row["health"] == "ready" for row in rows)
    devices = sum(row["devices"] or 0 for row in rows if row["role"] == "local")
    cells = dict.fromkeys(HEAD, "") | {
        "controller": f"{'▸' if folded else '▾'} {name}",
        "state": f"{ready}/{len(rows)} ready",
        "devices": str(devices),
        "waiting": str(sum(row["waiting"] for row in rows)),
    }
    sickest = min((row["health"] for row in rows), key=_severity)
    return Line(key=f"region {name}", cells=tuple(cells.values()), health=sickest)


def _controller(row: Controller, indent: str) -> Line:
    outcome = "" if row["outcome"] in (None, "complete") else f" {row['outcome']}"
    cells = {
        "controller": f"{indent}{row['id']}",
        "state": state_of(row),
        "role": row["role"],
        "transport": row["transport"] or "",
        "cycle": f"{row['cycle']}{outcome}" if row["cycle"] else "",
        "devices": "" if row["devices"] is None else str(row["devices"]),
        "waiting": str(row["waiting"]),
        "restarts": str(row["restarts"]),
        "reason": "" if row["health"] == "ready" else row["reason"] or "",
    }
    return Line(
        key=f"controller {row['id']}",
        cells=tuple(cells[name] for name in HEAD),
        health=row["health"],
        controller_id=row["id"],
    )
