"""The topologies with state on this machine, by name, with the record of their latest run."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from pdsno_cli.runtime.run_record import RunRecord, read_record
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.runtime.state_index import state_roots


class KnownState(NamedTuple):
    """A topology with state on this machine; ``record`` is None if none was written."""

    name: str
    state: StateDir
    record: RunRecord | None


def known_states() -> list[KnownState]:
    """Return every topology with state, by name and place; entries that lead nowhere are removed."""
    found: list[KnownState] = []
    for root in state_roots():
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
