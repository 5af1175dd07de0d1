"""``pdsno up -d``: start the run as a process of its own and wait until it is ready."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.model.errors import OperationError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.runtime.state_dir import StateDir

_POLL = 0.05  # seconds between two questions; the run has no way to call back


def run_detached(file: Path, state: StateDir, *, in_process: bool) -> None:
    """Start ``pdsno up FILE`` in its own session; OperationError, with its words, if it ends.

    Interrupted, it takes the run down with it.
    """
    state.make()
    with state.lock():
        pass  # a topology that is up is refused here, before anything is started
    command = [sys.executable, "-m", "pdsno_cli", "up", str(file), "--state-dir", str(state.root)]
    if in_process:
        command.append("--in-process")
    log = os.open(state.log("supervisor"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    finally:
        os.close(log)
    try:
        count = _wait(process, state)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    console.progress(f"{count} controllers ready; end them with: pdsno down {file}")


def _wait(process: subprocess.Popen[bytes], state: StateDir) -> int:
    """Return how many controllers there are once all are ready."""
    from pdsno_cli.runtime.state_dir import last_lines
    from pdsno_cli.supervisor.control import ask

    while process.poll() is None:
        try:
            status = ask(state.control, {"op": "status"})
        except UsageError:
            status = {"ready": False}
        if status["ready"]:
            return len(status["controllers"])
        time.sleep(_POLL)
    words = "\n".join(last_lines(state.log("supervisor"))).removeprefix("error: ")
    raise OperationError(words or f"ended with exit code {process.returncode}")
