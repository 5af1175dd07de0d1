"""Whether every controller is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdsno_cli.client.checklist.plane import some
from pdsno_cli.client.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdsno_cli.client.checklist.plane import Plane


def check_controllers(plane: Plane) -> Iterator[Finding]:
    """Compare the health of each controller with ready."""
    rows = plane.poll(plane.rows, lambda rows: not _unready(rows))
    bad = _unready(rows)
    state = "ready" if plane.report is not None else "heard alive"
    text = f"{len(rows) - len(bad)} of {len(rows)} are {state}"
    if not bad:
        yield Finding(check="controllers", verdict="ok", text=text)
        return
    names = tuple(row["id"] for row in bad)
    yield Finding(
        check="controllers",
        verdict="fail",
        text=f"{text}; not {some([_why(row) for row in bad])}",
        hint=f"pdsno status {plane.name}; pdsno logs {plane.name} {names[0]}",
        subjects=names,
    )


def _unready(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["health"] != "ready"]


def _why(row: dict[str, Any]) -> str:
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"{row['id']} ({row['health']}{reason})"
