"""``pdsno wait``: returns once a topology is ready, has done its cycles, or raises an event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT, seconds
from pdsno_cli.cli.completion import values
from pdsno_cli.cli.target import load, locate

if TYPE_CHECKING:
    from pathlib import Path

FORMAT_VERSION = 1


def _conditions() -> list[str]:
    from pdsno_cli.model.events import EVENT_KINDS

    return ["ready", "cycles=1", *(f"event={kind}" for kind in EVENT_KINDS)]


def wait(
    file: FILE = None,
    *,
    condition: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="ready|cycles=N|event=KIND",
            autocompletion=values(_conditions),
            help="Every controller is ready; N cycles of every local are at the top; an event.",
        ),
    ] = "ready",
    timeout: TIMEOUT = "2m",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Wait until a topology is ready.

    Or until N cycles of every local controller of this run are committed at the top, or until the
    next event of a kind. Exits with 1 at the timeout, naming what is missing.
    """
    from pdsno_cli.client.waiting import parse_condition, wait_for_status
    from pdsno_cli.model.printable import printable

    wanted = parse_condition(condition)
    limit = seconds(timeout)
    began = time.monotonic()
    if wanted.event is None:
        target = locate(file, state_dir)
        name = target.name
        wait_for_status(
            target.state.control,
            wanted,
            limit,
            lambda: console.progress(f"{target.name} is not up yet: waiting for it"),
        )
        found: dict[str, Any] = {}
    else:
        name, found = _event(file, state_dir, wanted.event, limit)
    took = time.monotonic() - began
    if as_json:
        members = {"for": condition, "seconds": round(took, 3), **found}
        console.document(FORMAT_VERSION, name, **members)
        return
    subject = f" of {found['event']['subject']}" if found else ""
    console.progress(f"{name}: {condition}{printable(subject)} after {took:.1f} s")


def _event(
    file: Path | None, state_dir: Path | None, kind: str, limit: float
) -> tuple[str, dict[str, Any]]:
    import msgspec

    from pdsno_cli.client.session import operator_session
    from pdsno_cli.client.waiting import wait_for_event

    topology, state = load(file, state_dir)
    filters = (topology.topics.events("+"),)
    with operator_session(topology, state, filters, console.progress) as operator:
        event = wait_for_event(operator, kind, limit)
    return topology.name, {"event": msgspec.to_builtins(event)}
