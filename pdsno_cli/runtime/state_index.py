"""Finds the state directories of this user: those in the base directory, and others by an index.

The index is the folder ``.elsewhere`` of the base directory: a symbolic link to each state
directory that ``--state-dir`` named, under a digest of its path. So two runs never write the same
entry, and one that leads nowhere is removed by whoever finds it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from pdsno_cli.model.errors import UsageError
from pdsno_cli.runtime.run_record import RunRecord, read_record
from pdsno_cli.runtime.state_dir import INDEX, StateDir, base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class KnownState(NamedTuple):
    """A topology with state on this machine; ``record`` is None if none was written."""

    name: str
    state: StateDir
    record: RunRecord | None


def known_states() -> list[KnownState]:
    """Return every topology with state, by name and place; entries that lead nowhere are removed."""
    found: list[KnownState] = []
    for root in _roots():
        known = known_state(StateDir(root))
        if known is not None:
            found.append(known)
    return sorted(found, key=lambda item: (item.name, str(item.state.root)))


def known_state(state: StateDir) -> KnownState | None:
    """Return the topology of a state directory, None if it is not one."""
    record = read_record(state)
    if record is None and not is_state_dir(state):
        return None
    name = record.topology if record is not None else unquote(state.root.name)
    return KnownState(name, state, record)


def is_state_dir(state: StateDir) -> bool:
    """Return True if a folder holds what only a run of a topology leaves."""
    return state.run_record.is_file() or (
        (state.root / "stores").is_dir() and (state.root / "logs").is_dir()
    )


def _roots() -> Iterator[Path]:
    try:
        states = base()
        folders = [path for path in states.iterdir() if path.name != INDEX and path.is_dir()]
    except (OSError, UsageError):
        return
    yield from folders
    with suppress(OSError):
        for link in list((states / INDEX).iterdir()):
            if not link.is_dir():
                with suppress(OSError):
                    link.unlink()
                continue
            root = link.resolve()
            if root.parent != states.resolve():
                yield root
