"""The supervisor's side of the fork server: starts it, asks for children, hears of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
from collections import deque
from typing import TYPE_CHECKING, Protocol

from pdsno_cli.runtime.state_dir import last_lines
from pdsno_cli.supervisor.line_socket import LineSocket
from pdsno_cli.supervisor.liveness import Liveness
from pdsno_cli.system.interpreter import run_module

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.runtime.child import Job
    from pdsno_cli.runtime.state_dir import StateDir

_MODULE = "pdsno_cli.supervisor.forkserver"
_WINDOW = 16  # requests without an answer yet; each holds a descriptor in flight
_RETRY = 1.0  # seconds until the next try where this process has no descriptor left
_END = 1.0  # seconds a fork server without children may take to end


class SpawnListener(Protocol):
    """Hears what becomes of children, on the event loop."""

    def started(self, name: str, pid: int) -> None:
        """A child runs."""

    def not_started(self, name: str, reason: str) -> None:
        """A child could not be forked: no process or no memory to be had at the moment."""

    def said(self, name: str, line: bytes) -> None:
        """A child wrote one line to its supervisor."""

    def ended(self, name: str, status: int) -> None:
        """A child is no more: exit code, or minus the signal that killed it."""

    def lost(self, reason: str, *, served: bool) -> None:
        """The fork server is gone, and every child with it; ``served`` once it was of use."""


class Spawner:
    """One fork server and its children. Event-loop thread only; nothing here waits for a process."""

    def __init__(self, state: StateDir, listener: SpawnListener) -> None:
        self._state = state
        self._listener = listener
        self._job: Job | None = None
        self._names: dict[int, str] = {}
        self._pids: dict[str, int] = {}
        self._lines: dict[str, LineSocket] = {}
        self._wanted: deque[str] = deque()  # to be asked for
        self._asked: set[str] = set()  # asked for, without an answer yet
        self._server: LineSocket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._liveness: Liveness | None = None
        self._reason: str | None = None

    def start(self) -> None:
        """Start the fork server; it imports while the caller goes on.

        Started again after it was lost, it is given its job again, and asked for what was wanted
        meanwhile. StateError when its log cannot be written, OSError when there is no process.
        """
        log = self._state.open_log("forkserver")
        try:
            self._log_start = os.fstat(log).st_size
            ours, theirs = socket.socketpair()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    run_module(_MODULE, str(theirs.fileno()), str(os.getpid())),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs.fileno(),),
                )
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
        finally:
            os.close(log)
        self._reason = None
        self._server = server = LineSocket(ours, received=self._hear_server, ended=self._lose)
        self._liveness = Liveness(
            ping=lambda: server.send(b'{"ping": true}\n'),
            wake=self.wake,
            dead=self._give_up_server,
        )
        if self._job is not None:
            self._send_job(self._job)

    def give(self, job: Job) -> None:
        """Tell the fork server what its children work on."""
        self._job = job
        self._send_job(job)

    def spawn(self, name: str) -> None:
        """Ask for the child called ``name``; ``started`` tells its pid."""
        self._wanted.append(name)
        self._ask()

    def withdraw(self, name: str) -> bool:
        """Ask no longer for a child; return False where it was asked for already."""
        try:
            self._wanted.remove(name)
        except ValueError:
            return False
        return True

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a child; whether it was there."""
        pid = self._pids.get(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                return True
        return False

    def tell(self, name: str, line: bytes) -> None:
        """Write one line to a child."""
        if name in self._lines:
            self._lines[name].send(line + b"\n")

    def wake(self) -> None:
        """Let a fork server go on that was stopped by a signal."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """End the fork server, and with it whoever is left."""
        process = self._process
        if process is None:
            return
        left = list(self._names)
        self._process = None  # nobody is told of this end
        self._close_lines()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, _END)
        _kill(process, left)
        process.wait()

    def kill(self) -> None:
        """End everything at once."""
        if self._process is not None:
            _kill(self._process, self._names)

    def _send_job(self, job: Job) -> None:
        if self._server is not None:
            data = pickle.dumps(job)
            self._server.send(len(data).to_bytes(8, "big") + data)

    def _ask(self) -> None:
        """Ask for children, never for more at a time than the fork server keeps up with."""
        if self._server is None or self._liveness is None or not self._liveness.served:
            return
        while self._wanted and len(self._asked) < _WINDOW:
            try:
                ours, theirs = socket.socketpair()
            except OSError:  # no descriptor left: some come back
                asyncio.get_running_loop().call_later(_RETRY, self._ask)
                return
            name = self._wanted.popleft()
            self._asked.add(name)
            self._close_line(name)
            self._lines[name] = LineSocket(
                ours,
                received=lambda line, name=name: self._listener.said(name, line),  # type: ignore[misc]
                ended=lambda: None,  # its status comes from the fork server
            )
            self._server.send(json.dumps({"name": name}).encode() + b"\n", theirs.detach())

    def _hear_server(self, line: bytes) -> None:
        """Take one answer of the fork server: any answer is a sign of life."""
        assert self._liveness is not None
        self._liveness.alive()
        answer = json.loads(line)
        name = answer.get("name")
        if "status" in answer:
            ended = self._names.pop(answer["pid"], None)
            if ended is not None:
                self._pids.pop(ended, None)
                if ended in self._lines:
                    self._lines[ended].drain()
                self._close_line(ended)
                self._listener.ended(ended, answer["status"])
        elif "error" in answer:
            self._asked.discard(name)
            self._close_line(name)
            self._listener.not_started(name, answer["error"])
        elif name is not None:
            self._asked.discard(name)
            self._names[answer["pid"]] = name
            self._pids[name] = answer["pid"]
            self._listener.started(name, answer["pid"])
        self._ask()

    def _give_up_server(self) -> None:
        """End a fork server that answers nothing any more: its socket's end says the rest."""
        self._reason = "it did not answer"
        self.kill()

    def _lose(self) -> None:
        """Take note that the fork server is gone, and see that its children are."""
        process, self._process = self._process, None
        if process is None:
            return
        served = self._liveness is not None and self._liveness.served
        _kill(process, self._names)
        words = last_lines(self._state.log("forkserver"), 1, after=self._log_start)
        end = _end_text(process)
        reason = self._reason or " ".join(words).strip() or end
        self._close_lines()
        self._asked.clear()
        self._listener.lost(reason, served=served)

    def _close_lines(self) -> None:
        if self._liveness is not None:
            self._liveness.close()
        if self._server is not None:
            self._server.close()
            self._server = None
        for name in list(self._lines):
            self._close_line(name)
        self._names.clear()
        self._pids.clear()

    def _close_line(self, name: str) -> None:
        line = self._lines.pop(name, None)
        if line is not None:
            line.close()


def _kill(process: subprocess.Popen[bytes], children: Iterable[int]) -> None:
    """Kill a fork server and its children, if it is still there.

    Without it they end by themselves, and their numbers may be other processes' by now.
    """
    if process.poll() is None:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()


def _end_text(process: subprocess.Popen[bytes]) -> str:
    """Say how a process ended that was killed, if nothing else."""
    try:
        code = process.wait(_END)
    except subprocess.TimeoutExpired:  # a debugger holds it
        return "it does not end"
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
