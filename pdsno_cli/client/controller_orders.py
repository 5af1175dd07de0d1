"""Restarts, stops and starts controllers of a run, one after the other, children before parents.

The supervisor decides and acts; this module asks, and reads the status until it is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pdsno_cli.model.errors import OperationError, UsageError
from pdsno_cli.model.names import suggest
from pdsno_cli.supervisor.control import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Order = Literal["restart", "stop", "start"]
INTERVAL = 0.1  # seconds between two readings of the status, at least
PAUSES = (
    4  # times the duration of a reading, at least, until the next: it must not load a large run
)
_LEVELS = ("local", "regional", "global")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A controller whose order is carried out, ``seconds`` after it was given."""

    controller_id: str
    seconds: float


def in_order(
    rows: Sequence[dict[str, Any]], ids: Sequence[str], *, parents_first: bool
) -> list[str]:
    """Return the ids, all for none, by level; raises UsageError, with the nearest, if unknown."""
    known = {row["id"]: _LEVELS.index(row["role"]) for row in rows}
    for name in ids:
        if name not in known:
            raise UsageError(f"no controller {name!r} runs there: {suggest(name, known)}")
    chosen = dict.fromkeys(ids or known)
    return sorted(chosen, key=lambda name: known[name], reverse=parents_first)


def carry_out(control: Path, order: Order, ids: Sequence[str], limit: float) -> Iterator[Done]:
    """Give an order to one controller after the other; yield each once it is carried out.

    Raises UsageError for an unknown controller before any order, OperationError when one does not
    become ready, or does not stop, within ``limit`` seconds; those that follow have no order then.
    """
    rows = ask(control, {"op": "status"})["controllers"]
    names = in_order(rows, ids, parents_first=order == "start")
    for index, name in enumerate(names):
        began = time.monotonic()
        answer = ask(control, {"op": f"{order}_controller", "id": name})
        try:
            _wait(control, order, name, answer, began + limit)
        except OperationError as exc:
            left = len(names) - index - 1
            rest = f"; {left} more have no order yet" if left else ""
            raise OperationError(f"{exc}{rest}") from exc
        yield Done(controller_id=name, seconds=time.monotonic() - began)


def _wait(control: Path, order: Order, name: str, answer: dict[str, Any], deadline: float) -> None:
    """Return once the order is carried out; raises OperationError if it fails or takes too long."""
    while True:
        began = time.monotonic()
        row = _row(control, name)
        if carried_out(order, row, answer):
            return
        why = row["detail"] or row["reason"]
        detail = f" ({why})" if why else ""
        if row["state"] == "failed" and order != "stop":
            raise OperationError(f"{name} was given up{detail}")
        if time.monotonic() > deadline:
            wanted = "stopped" if order == "stop" else "ready"
            raise OperationError(f"{name} is not {wanted} in time: it is {row['state']}{detail}")
        time.sleep(max(INTERVAL, PAUSES * (time.monotonic() - began)))


def _row(control: Path, name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = ask(control, {"op": "status"})["controllers"]
    return next((row for row in rows if row["id"] == name), {"state": "gone", "detail": None,
                                                             "reason": None, "epoch": 0,
                                                             "pid": None})  # fmt: skip


def carried_out(order: Order, row: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Return True if a controller is as ordered; ``answer`` is the supervisor's to the order.

    A restarted one is ready as another process or, within one process, under a later epoch; one
    that ran already need not be. Under a clock that was set back, a lost store begins an earlier epoch.
    """
    if order == "stop":
        return bool(row["state"] == "stopped")
    ran = order == "start" and answer["state"] == "running"
    other = row["epoch"] > answer["epoch"] or row["pid"] != answer["pid"]
    return bool(row["state"] == "ready" and (ran or other))
