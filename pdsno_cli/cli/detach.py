"""``pdsno up -d``: starts the run in a session of its own and waits until it is ready.

The two share a pipe. The run writes a NUL to it once every controller is ready, else the reason of
its failure, up to the end of the pipe. Until the run has locked the state directory the pipe is its
stdout and stderr, too; then they are its log, which has one writer only.
"""

from __future__ import annotations

import logging
import math
import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.display import PlainLines
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.printable import printable_lines
from pdsno_cli.system.interpreter import run_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_QUIET = 1.0  # seconds until a terminal shows what it waits for
_AGAIN = 5.0  # seconds until it shows that again
_READY = b"\0"
_READ = 65_536


def run_detached(
    file: Path, topology: Topology, state: StateDir, *, in_process: bool, timeout: float
) -> None:
    """Start ``pdsno up FILE`` in its own session and return once it is ready.

    Raises OperationError with its reason if it ends, and when not every controller is ready after
    ``timeout`` seconds: the run then goes on. A KeyboardInterrupt ends the run.
    """
    ours, theirs = os.pipe()
    arguments = ["up", str(file), "--state-dir", str(state.root), "--report-to", str(theirs)]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            run_module("pdsno_cli", *arguments, *(["--in-process"] if in_process else [])),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            pass_fds=(theirs,),
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    try:
        _wait(process, ours, file, state, timeout)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    finally:
        os.close(ours)
    count = len(topology.controllers)
    console.progress(f"{count} controllers ready; end them with: pdsno down {file}")


def _wait(
    process: subprocess.Popen[bytes], pipe: int, file: Path, state: StateDir, timeout: float
) -> None:
    """Return once all controllers are ready; on a terminal, say what it waits for."""
    deadline, output = time.monotonic() + timeout, b""
    word = time.monotonic() + _QUIET if console.terminal(sys.stderr) else math.inf
    while True:
        now = time.monotonic()
        ready, _, _ = select.select([pipe], [], [], max(min(deadline, word) - now, 0))
        if not ready and time.monotonic() < deadline:
            word = time.monotonic() + _AGAIN
            console.message("waiting" + (_unready(state) or ": it starts"))
            continue
        if not ready:
            raise OperationError(
                f"not ready within {timeout:g} s{_unready(state)}; the run goes on: "
                f"check it with pdsno status {file}, end it with pdsno down {file}"
            )
        data = os.read(pipe, _READ)
        if _READY in data:
            return
        output += data
        if not data:
            code = process.wait()
            text = output.decode(errors="replace").strip().removeprefix("error: ")
            raise OperationError(
                text or f"it ended with exit code {code}; its log is {state.log('supervisor')}"
            )


def _unready(state: StateDir) -> str:
    """Return which controllers are not ready, empty where the run does not answer."""
    from pdsno_cli.supervisor.control import ask

    try:
        rows = ask(state.control, {"op": "status"}, timeout=1.0)["controllers"]
    except Exception:  # noqa: BLE001 - not started yet, or stuck
        return ""
    unready = [row for row in rows if row["state"] != "ready"]
    names = [
        f"{row['id']} {row['state']}" + (f" ({row['detail']})" if row["detail"] else "")
        for row in unready[:3]
    ]
    more = f" and {len(unready) - 3} more" if len(unready) > 3 else ""
    return f": {', '.join(names)}{more}" if names else ""


@contextmanager
def detached(topology: Topology, state: StateDir, report: int) -> Iterator[PlainLines]:
    """Log the run, and report its start to ``run_detached``, for as long as the context lasts.

    For the process that ``run_detached`` started, once it has locked the state directory.
    """
    from pdsno_cli.runtime.logs import file_logger

    os.set_inheritable(report, False)
    logger = file_logger(state.log("supervisor"), output=True)
    try:
        yield _Reporting(topology, logger, report)
    except BaseException as exc:
        text = str(exc) if isinstance(exc, OperationError) else f"{type(exc).__name__}: {exc}"
        logger.error(text)  # noqa: TRY400 - the traceback goes to stderr
        _write(report, printable_lines(text).encode(errors="backslashreplace"))
        raise


class _Reporting(PlainLines):
    """Logs the lines, and reports readiness to ``run_detached``."""

    def __init__(self, topology: Topology, logger: logging.Logger, report: int) -> None:
        super().__init__(topology, logger.info, cycles=False)
        self._report = report

    def on_ready(self, seconds: float) -> None:
        """Report readiness, and log it."""
        _write(self._report, _READY)
        super().on_ready(seconds)


def _write(report: int, data: bytes) -> None:
    with suppress(OSError):  # run_detached has ended
        os.write(report, data)
