"""The supervisor's side of the fork server: starts it, requests children, receives their ends."""

from __future__ import annotations

import asyncio
import base64
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
    from pdsno_cli.spec.topology import Topology

_MODULE = "pdsno_cli.supervisor.forkserver"
_WINDOW = 16  # requests in flight, each with a descriptor
_RETRY = 1.0  # seconds until the next try when this process has no descriptor left
_END = 1.0  # seconds that a fork server without children has to end


class SpawnListener(Protocol):
    """Receives the events of children, on the event loop."""

    def started(self, name: str, pid: int) -> None:
        """A child runs."""

    def not_started(self, name: str, reason: str) -> None:
        """A child could not be forked, for lack of processes or memory."""

    def received(self, name: str, line: bytes) -> None:
        """A child wrote one line to its supervisor."""

    def ended(self, name: str, status: int | None) -> None:
        """A child ended: exit code, minus a signal, None for one lost with the fork server."""

    def lost(self, reason: str, *, served: bool) -> None:
        """The fork server ended, after its children; ``served`` is False if it never forked."""


class Spawner:
    """One fork server and its children. Event-loop thread only; nothing here blocks."""

    def __init__(self, topology: Topology, state: StateDir, listener: SpawnListener) -> None:
        self._name = topology.name
        # A title cannot be longer than the command line: room for that of any controller.
        self._room = "-" * max(map(len, topology.controllers), default=0)
        self._state = state
        self._listener = listener
        self._job: Job | None = None
        self._names: dict[int, str] = {}
        self._pids: dict[str, int] = {}
        self._lines: dict[str, LineSocket] = {}
        self._wanted: deque[str] = deque()  # not yet requested
        self._asked: set[str] = set()  # requested, not yet answered
        self._server: LineSocket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._liveness: Liveness | None = None
        self._reason: str | None = None

    def start(self) -> None:
        """Start the fork server, which imports in the background.

        After a loss, the new one gets the job again, and forks the children requested meanwhile.
        Raises StateError when its log cannot be written, OSError when no process can be started.
        """
        log = self._state.open_log("forkserver")
        try:
            self._log_start = os.fstat(log).st_size
            ours, theirs = socket.socketpair()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    run_module(
                        _MODULE, str(theirs.fileno()), str(os.getpid()), self._name, self._room
                    ),
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
        self._server = server = LineSocket(ours, received=self._receive, ended=self._lose)
        self._liveness = Liveness(
            ping=lambda: server.send(b'{"ping": true}\n'),
            wake=self.wake,
            dead=self._replace_server,
        )
        if self._job is not None:
            self._send_job(self._job)

    def set_job(self, job: Job) -> None:
        """Send the fork server the job of its children from now on."""
        first, self._job = self._job is None, job
        if first:
            self._send_job(job)
        elif self._server is not None:
            data = base64.b64encode(pickle.dumps(job)).decode()
            self._server.send(json.dumps({"job": data}).encode() + b"\n")

    def spawn(self, name: str) -> None:
        """Request a child; ``started`` or ``not_started`` of the listener follows."""
        self._wanted.append(name)
        self._ask()

    def withdraw(self, name: str) -> bool:
        """Withdraw a request; return False if the fork server has it already."""
        try:
            self._wanted.remove(name)
        except ValueError:
            return False
        return True

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a child; return True if it runs."""
        pid = self._pids.get(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                return True
        return False

    def send(self, name: str, line: bytes) -> None:
        """Send one line to a child."""
        if name in self._lines:
            self._lines[name].send(line + b"\n")

    def wake(self) -> None:
        """Continue a fork server that was stopped by a signal."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """End the fork server, and with it any child that is left."""
        process = self._process
        if process is None:
            return
        left = list(self._names)
        self._process = None  # so that this end is not reported as a loss
        self._close_lines()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, _END)
        _kill(process, left)
        process.wait()

    def kill(self) -> None:
        """Kill the fork server and every child."""
        if self._process is not None:
            _kill(self._process, self._names)

    def _send_job(self, job: Job) -> None:
        if self._server is not None:
            data = pickle.dumps(job)
            self._server.send(len(data).to_bytes(8, "big") + data)

    def _ask(self) -> None:
        """Send requests, never more at a time than the fork server keeps up with."""
        if self._server is None or self._liveness is None or not self._liveness.served:
            return
        while self._wanted and len(self._asked) < _WINDOW:
            try:
                ours, theirs = socket.socketpair()
            except OSError:  # no descriptor left: try again when others are closed
                asyncio.get_running_loop().call_later(_RETRY, self._ask)
                return
            name = self._wanted.popleft()
            self._asked.add(name)
            self._close_line(name)
            self._lines[name] = LineSocket(
                ours,
                received=lambda line, name=name: self._listener.received(name, line),  # type: ignore[misc]
                ended=lambda: None,  # its status comes from the fork server
            )
            self._server.send(json.dumps({"name": name}).encode() + b"\n", theirs.detach())

    def _receive(self, line: bytes) -> None:
        """Handle one answer of the fork server; any answer proves that it lives."""
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

    def _replace_server(self) -> None:
        """Kill a fork server that no longer answers; ``_lose`` follows when its socket closes."""
        self._reason = "it did not answer"
        self.kill()

    def _lose(self) -> None:
        """Report the end of the fork server, after the end of each of its children."""
        process, self._process = self._process, None
        if process is None:
            return
        served = self._liveness is not None and self._liveness.served
        _kill(process, self._names)
        words = last_lines(self._state.log("forkserver"), 1, after=self._log_start)
        end = _end_text(process)
        reason = self._reason or " ".join(words).strip() or end
        children = [*self._names.values(), *self._asked]
        self._close_lines()
        self._asked.clear()
        for name in children:
            self._listener.ended(name, None)
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
    """Kill a fork server and its children, if it still runs.

    Without it the children end by themselves, and their process ids may be reused.
    """
    if process.poll() is None:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.kill()


def _end_text(process: subprocess.Popen[bytes]) -> str:
    """Return how a killed process ended, as part of a sentence."""
    try:
        code = process.wait(_END)
    except subprocess.TimeoutExpired:  # traced by a debugger
        return "it does not end"
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
