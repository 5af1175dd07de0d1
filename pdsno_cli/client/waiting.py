"""Waits until a run is ready, has committed a number of cycles, or raises an event."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.client.controller_orders import INTERVAL, PAUSES
from pdsno_cli.model.errors import OperationError, UsageError
from pdsno_cli.model.events import EVENT_KINDS
from pdsno_cli.model.names import suggest
from pdsno_cli.supervisor.control import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pdsno_cli.client.operator import Operator
    from pdsno_cli.model.messages import Event

_NAMED = 3  # controllers that a line names


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition to wait for: ready, a number of ``cycles``, or an ``event``."""

    cycles: int | None = None
    event: str | None = None


def parse_condition(text: str) -> Condition:
    """Return the condition of ``ready``, ``cycles=N`` or ``event=KIND``; raises UsageError."""
    key, _, value = text.partition("=")
    match key:
        case "ready" if not value:
            return Condition()
        case "cycles" if value.isdecimal() and int(value) > 0:
            return Condition(cycles=int(value))
        case "event" if value in EVENT_KINDS:
            return Condition(event=value)
        case "event":
            raise UsageError(f"unknown event {value!r}: {suggest(value, EVENT_KINDS)}")
        case _:
            raise UsageError(f"invalid --for {text!r}: write ready, cycles=N or event=KIND")


def missing(report: dict[str, Any], condition: Condition) -> list[str]:
    """Return what the condition still waits for, one item for each controller; empty if it holds."""
    rows = report["controllers"]
    if condition.cycles is None:
        return [
            f"{row['id']} is {row['health']}" + (f" ({row['reason']})" if row["reason"] else "")
            for row in rows
            if row["health"] != "ready"
        ]
    return [
        f"{row['id']} has {row['committed_at_top']} of {condition.cycles} cycles at the top"
        for row in rows
        if row["role"] == "local" and row["committed_at_top"] < condition.cycles
    ]


def wait_for_status(
    control: Path, condition: Condition, limit: float, on_absent: Callable[[], None]
) -> float:
    """Return after how many seconds the condition held.

    ``on_absent`` is called once if the topology is not up yet: it may come up meanwhile. Raises
    OperationError, naming what is missing, after ``limit`` seconds.
    """
    began = time.monotonic()
    absent = False
    while True:
        asked = time.monotonic()
        try:
            left = missing(ask(control, {"op": "status"}), condition)
        except UsageError:
            left = ["it is not up"]
            if not absent:
                absent = True
                on_absent()
        now = time.monotonic()
        if not left:
            return now - began
        if now - began > limit:
            more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
            raise OperationError(f"not within {limit:g} s: {', '.join(left[:_NAMED])}{more}")
        time.sleep(max(INTERVAL, PAUSES * (now - asked)))


def wait_for_event(operator: Operator, kind: str, limit: float) -> Event:
    """Return the first event of a kind; raises OperationError after ``limit`` seconds."""
    from pdsno_cli.model.messages import Event

    for envelope in operator.messages(time.monotonic() + limit):
        if isinstance(envelope.payload, Event) and envelope.payload.event == kind:
            return envelope.payload
    raise OperationError(f"no event {kind} within {limit:g} s")
