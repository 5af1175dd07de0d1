"""Lists the topologies of this machine: what runs, since when, and whether its file has changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.runtime.known_states import known_states
from pdsno_cli.runtime.run_record import differs

if TYPE_CHECKING:
    from pdsno_cli.runtime.known_states import KnownState
    from pdsno_cli.runtime.run_record import RunRecord

State = Literal["up", "starting", "no answer", "alone", "dead", "stopped"]
Changes = Literal["none", "changed", "file gone", "file has errors"]

_TIMEOUT = 0.3  # seconds for a supervisor to answer
_AT_ONCE = 8  # supervisors asked at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTopology:
    """A topology with state on this machine; times are Unix seconds.

    ``state`` is *dead* if its supervisor ended without an order, *alone* if controllers run without
    one. ``changes`` compares the file with what runs, None where nothing runs or nothing is known.
    """

    name: str
    state: State
    file: str | None
    state_dir: str
    since: float | None
    ready: int | None
    controllers: int | None
    changes: Changes | None


def listed_topologies() -> list[ListedTopology]:
    """Return every topology that runs or has state on this machine."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(listed_topology, known_states()))


def listed_topology(known: KnownState) -> ListedTopology:
    """Return what is known of one topology with state on this machine."""
    record, state = known.record, known.state
    up = state.is_up
    alone = [] if up else state.running_alone()
    ready = count = None
    if up:
        found, ready, count = _ask(known)
    else:
        found = _ended(record, alone=bool(alone))
        ready = len(alone) or None
    return ListedTopology(
        name=known.name,
        state=found,
        file=None if record is None else record.file,
        state_dir=str(state.root),
        since=_since(record, up=up),
        ready=ready,
        controllers=count,
        changes=None if record is None else _changes(record, up=up),
    )


def _ended(record: RunRecord | None, *, alone: bool) -> State:
    """Return the state of a topology without a supervisor."""
    if alone:
        return "alone"
    return "dead" if record is not None and record.ended_at is None else "stopped"


def _since(record: RunRecord | None, *, up: bool) -> float | None:
    """Return since when it is up or stopped; of a dead one, when it was started."""
    if record is None:
        return None
    return record.started_at if up or record.ended_at is None else record.ended_at


def _ask(known: KnownState) -> tuple[State, int | None, int | None]:
    """Return the state of one that is up, its ready controllers and all of them."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.supervisor.control import ask

    try:
        rows = ask(known.state.control, {"op": "status"}, timeout=_TIMEOUT)["controllers"]
    except UsageError:  # no socket yet, or no more
        return "starting", None, None
    except (PdsnoError, ValueError, KeyError):
        return "no answer", None, None
    return "up", sum(row["health"] == "ready" for row in rows), len(rows)


def _changes(record: RunRecord, *, up: bool) -> Changes | None:
    """Return how the file differs from what runs; a file that nothing runs of is not read."""
    from pdsno_cli.lint.engine import require
    from pdsno_cli.spec.load import STDIN

    if record.file == STDIN:
        return None
    if not Path(record.file).is_file():
        return "file gone"
    if not up:
        return None
    try:
        changed = differs(record, require(record.file))
    except PdsnoError:
        return "file has errors"
    return "changed" if changed else "none"
