"""``pdsno down``: stops a running topology."""

from __future__ import annotations

import time

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, STATE_DIR
from pdsno_cli.cli.target import locate


def down(
    file: FILE = None,
    state_dir: STATE_DIR = None,
) -> None:
    """Stop a running topology.

    Children stop before parents, then the broker.
    """
    from pdsno_cli.model.errors import OperationError, StateError
    from pdsno_cli.supervisor.control import ask

    target = locate(file, state_dir)
    state = target.state
    ask(state.control, {"op": "stop"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with state.lock():
                console.progress(f"{target.name}: stopped")
                return
        except StateError:
            time.sleep(0.05)
    raise OperationError(f"{target.name} did not stop within 60 s")
