"""``pdsno quarantine``: lists, replays or discards signed messages that could not be applied."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT, require_controller, seconds
from pdsno_cli.cli.completion import topology_and_controllers
from pdsno_cli.cli.table import table
from pdsno_cli.cli.target import file_first, load
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from pdsno_cli.nib.inbox_table import Quarantined
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1
_HEAD = ("controller", "entry", "at", "sender", "stream", "epoch", "seq", "bytes", "reason")
_WORDS = Annotated[
    list[str],
    typer.Argument(
        metavar="[FILE] ID ENTRY...",
        autocompletion=topology_and_controllers(most=1),
        help="The topology, the controller, its entries.",
    ),
]

quarantine = typer.Typer(
    help="List, replay or discard quarantined messages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@quarantine.command("list")
def list_entries(
    file: FILE = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """List the messages in quarantine.

    These were signed but could not be applied. Reads the stores on this machine.
    """
    from pdsno_cli.model.errors import UsageError

    topology, state = load(file, state_dir)
    by_name = {name: _entries(topology, state, name) for name in topology.controllers}
    if all(entries is None for entries in by_name.values()):
        raise UsageError(f"{topology.name} was never up in {state.root}: there are no stores")
    found = [(name, item) for name, entries in by_name.items() for item in entries or ()]
    if as_json:
        messages = [
            dict(zip(_HEAD, _values(name, item), strict=True))
            | {"topic": item.topic, "data": item.data.decode(errors="replace")}
            for name, item in found
        ]
        console.document(FORMAT_VERSION, topology.name, messages=messages)
        return
    rows = [tuple(map(str, _values(name, item))) for name, item in found]
    text = table(_HEAD, rows)
    if max(map(len, text.splitlines())) > console.width():
        text = "\n".join(map(_block, rows))
    console.data(text)


@quarantine.command()
def replay(words: _WORDS, timeout: TIMEOUT = "30s", state_dir: STATE_DIR = None) -> None:
    """Have a controller apply messages again.

    It then requests what follows from their senders.
    """
    _order("replay", words, timeout, state_dir)


@quarantine.command()
def discard(words: _WORDS, timeout: TIMEOUT = "30s", state_dir: STATE_DIR = None) -> None:
    """Have a controller drop messages.

    It then requests what follows from their senders.
    """
    _order("discard", words, timeout, state_dir)


def _order(
    order: Literal["replay", "discard"], words: list[str], timeout: str, state_dir: Path | None
) -> None:
    from pdsno_cli.client.session import operator_session
    from pdsno_cli.model.errors import OperationError
    from pdsno_cli.model.messages import Command, Event

    file, rest = file_first(words)
    limit = seconds(timeout)
    topology, state = load(file, state_dir)
    name, entries = _named(topology, rest)
    deadline = time.monotonic() + limit
    with operator_session(
        topology, state, (topology.topics.events("+"),), console.progress
    ) as operator:
        open_orders = {
            operator.order(name, Command(order=order, entry=entry), deadline=deadline): entry
            for entry in entries
        }
        refused = []
        for envelope in operator.messages(deadline):
            entry = open_orders.pop(envelope.correlation_id or "", None)
            if entry is not None and isinstance(envelope.payload, Event):
                if envelope.payload.event == "command_refused":
                    refused.append(f"entry {entry}: {envelope.payload.detail.get('why')}")
                else:
                    console.progress(f"{name}: entry {entry} {order}ed")
            if not open_orders:
                break
    refused += [f"entry {entry}: no answer within {limit:g} s" for entry in open_orders.values()]
    if refused:
        raise OperationError(f"{name}: {'; '.join(refused)}")


def _named(topology: Topology, words: list[str]) -> tuple[str, list[int]]:
    """Return the controller and the entries among the arguments; raises UsageError."""
    from pdsno_cli.model.errors import UsageError

    if len(words) < 2:
        raise UsageError(
            "name a controller and the numbers of entries, as pdsno quarantine list shows them"
        )
    name, *numbers = words
    require_controller(topology, name)
    wrong = [word for word in numbers if not word.isdecimal()]
    if wrong:
        raise UsageError(
            f"invalid entry {wrong[0]!r}: write its number, as pdsno quarantine list shows it"
        )
    return name, [int(word) for word in numbers]


def _entries(topology: Topology, state: StateDir, name: str) -> list[Quarantined] | None:
    from pdsno_cli.nib.database import MissingStoreError
    from pdsno_cli.nib.reader import open_reader
    from pdsno_cli.runtime.stores import database_of

    try:
        with closing(open_reader(database_of(topology, state, name))) as store:
            return store.quarantined()
    except MissingStoreError:
        return None


def _block(row: tuple[str, ...]) -> str:
    """Return an entry in lines of its own, for a terminal that its row does not fit."""
    name, entry, at, sender, stream, epoch, seq, size, reason = row
    return (
        f"{name}: entry {entry}, {at}\n"
        f"  from {sender}\n"
        f"  {stream} {epoch}/{seq}, {size} B\n"
        f"  {printable(reason)}"
    )


def _values(name: str, item: Quarantined) -> tuple[str | int, ...]:
    from pdsno_cli.model.ids import timestamp

    return (name, item.id, timestamp(item.at), item.sender, item.stream, item.epoch, item.seq,
            len(item.data), item.reason)  # fmt: skip
