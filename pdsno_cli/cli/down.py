"""``pdsno down``: stops a running topology, and removes its state where that is wanted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, STATE_DIR
from pdsno_cli.cli.target import locate

if TYPE_CHECKING:
    from pdsno_cli.cli.target import Target

_LIMIT = 60.0  # seconds that a topology has to stop


def down(
    file: FILE = None,
    *,
    volumes: Annotated[
        bool,
        typer.Option("--volumes", help="Remove its state, too: inventory, key and logs."),
    ] = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Stop a running topology.

    Children stop before parents, then the broker. With --volumes it need not run.
    """
    target = locate(file, state_dir)
    if not volumes or target.state.is_up:
        _stop(target)
    if volumes:
        _remove(target)


def _stop(target: Target) -> None:
    from pdsno_cli.model.errors import OperationError, StateError
    from pdsno_cli.supervisor.control import ask

    ask(target.state.control, {"op": "stop"})
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline:
        try:
            with target.state.lock():
                console.progress(f"{target.name}: stopped")
                return
        except StateError:
            time.sleep(0.05)
    raise OperationError(f"{target.name} did not stop within {_LIMIT:g} s")


def _remove(target: Target) -> None:
    from pdsno_cli.runtime.state_removal import remove_state, size_of

    root = target.state.root
    size = size_of(root)
    left = remove_state(target.state)
    console.progress(
        f"{target.name}: removed inventory, key and logs in {root} ({size / 1e6:.1f} MB)"
    )
    if left:
        console.progress(f"{root} stays, with what is not of pdsno: {', '.join(left)}")
