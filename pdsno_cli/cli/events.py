"""``pdsno events``: prints the record of events, which the global controller keeps."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, SINCE, STATE_DIR, moment, require_region
from pdsno_cli.cli.completion import regions
from pdsno_cli.cli.console import clock
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.client.events import EventReader
    from pdsno_cli.nib.rows import EventRecord

_INTERVAL = 0.3  # seconds between two looks into the store
_RETRY = 2.0  # seconds, while its server is away
_NAME = 16  # columns; few events have longer names
_COLOURS = {"warning": "33", "error": "31"}  # SGR parameters


def events(
    file: FILE = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new events, until Ctrl-C.")
    ] = False,
    since: SINCE = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="EVENT", help="Only these, as in controller_down."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region", metavar="REGION", autocompletion=regions, help="Only of these regions."
        ),
    ] = None,
    lines: Annotated[
        int | None, typer.Option("--lines", "-n", metavar="N", min=0, help="Only the last N events.")
    ] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:  # fmt: skip
    """Show the events that the global controller has recorded.

    Also after the run has ended. Times are local ones; with --json, a line an event, they are UTC.
    """
    from pdsno_cli.cli.target import load
    from pdsno_cli.client.events import EventFilter, EventReader
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.events import EVENT_KINDS
    from pdsno_cli.model.roles import Role
    from pdsno_cli.nib.database import MissingStoreError
    from pdsno_cli.runtime.stores import database_of

    begin = 0.0 if since is None else moment(since, time.time())
    topology, state = load(file, state_dir)
    for name in region or ():
        require_region(topology, name)
    wanted = EventFilter(kinds=frozenset(kind or ()), regions=frozenset(region or ()), since=begin)
    owner = topology.of_role(Role.GLOBAL)[0].controller_id
    try:
        reader = EventReader(database_of(topology, state, owner), wanted)
    except MissingStoreError as exc:
        raise UsageError(
            f"no store of {owner}, which records the events, in {state.root}; "
            f"from any machine, new ones are in: pdsno tail {topology.path} 'events/#'"
        ) from exc
    with reader, contextlib.suppress(KeyboardInterrupt):
        found = reader.read()
        if not follow:
            _require_known(wanted.kinds, {*EVENT_KINDS, *reader.kinds})
            if not found:
                console.progress(f"{topology.name}: no event was recorded that matches")
        shown = found if lines is None else found[max(len(found) - lines, 0) :]
        while _print(shown, as_json=as_json) and follow:
            time.sleep(_INTERVAL)
            shown = _news(reader)


def _news(reader: EventReader) -> list[EventRecord]:
    """Return new events; none while the store's server is away."""
    from pdsno_cli.model.errors import StoreUnavailableError

    try:
        return reader.read()
    except StoreUnavailableError as exc:
        console.message(f"{exc}; trying again")
        time.sleep(_RETRY)
        return []


def _require_known(wanted: Iterable[str], kinds: Iterable[str]) -> None:
    """Raise UsageError for a kind that there is not, with the nearest that there is."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import suggest

    known = sorted(kinds)
    for kind in wanted:
        if kind not in known:
            raise UsageError(f"no event {kind!r}: {suggest(kind, known)}")


def _print(found: Iterable[EventRecord], *, as_json: bool) -> bool:
    """Print events; return False if the reader has closed the pipe."""
    from pdsno_cli.client.events import event_document

    coloured = console.colour(sys.stdout)
    texts = [
        json.dumps(event_document(item)) if as_json else _line(item, colour=coloured)
        for item in found
    ]
    return not texts or console.data("\n".join(texts))


def _line(item: EventRecord, *, colour: bool) -> str:
    """Return one event: when, what, to whom, why."""
    from pdsno_cli.client.events import event_why

    event = item.event
    shade = _COLOURS.get(event.severity) if colour else None
    name = event.event.ljust(_NAME)
    name = f"\033[{shade}m{name}\033[0m" if shade else name
    severity = "" if event.severity == "info" else f"{event.severity}, "
    why = event_why(event)
    said = f" (from {item.sender})" if item.sender != event.subject else ""
    text = f"{event.subject}: {severity}{why}".rstrip(" :,")
    return printable(f"{clock(item.at)}  ") + name + printable(f"  {text}{said}")
