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
import sys
from typing import TYPE_CHECKING, Protocol

from pdsno_cli.model.errors import OperationError
from pdsno_cli.runtime.state_dir import last_lines

if TYPE_CHECKING:
    from pdsno_cli.runtime.child import Job
    from pdsno_cli.runtime.state_dir import StateDir


class SpawnListener(Protocol):
    """Hears what becomes of children, on the event loop."""

    def started(self, name: str, pid: int) -> None:
        """A child runs."""

    def said(self, name: str, line: bytes) -> None:
        """A child wrote one line to its supervisor."""

    def ended(self, name: str, status: int) -> None:
        """A child is no more: exit code, or minus the signal that killed it."""

    def lost(self) -> None:
        """The fork server is gone, and every child with it."""


class Spawner:
    """One fork server and its children. Event-loop thread only."""

    def __init__(self, state: StateDir, listener: SpawnListener) -> None:
        self._state = state
        self._job: Job | None = None
        self._listener = listener
        self._names: dict[int, str] = {}
        self._lines: dict[str, socket.socket] = {}
        self._buffers: dict[str, bytes] = {}
        self._answers = b""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the fork server; it imports while the caller goes on.

        Started again after it was lost, it is given its job again.
        """
        ours, theirs = socket.socketpair()
        log = self._state.open_log("forkserver")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "pdsno_cli.supervisor.forkserver", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
            )
        finally:
            os.close(log)
            theirs.close()
        self._server = ours
        if self._job is not None:
            self.give(self._job)

    def give(self, job: Job) -> None:
        """Tell the fork server what its children work on; from now on it can be asked for them."""
        self._job = job
        data = pickle.dumps(job)
        try:
            self._server.sendall(len(data).to_bytes(8, "big") + data)
        except OSError as exc:
            words = " ".join(last_lines(self._state.log("forkserver"), 1))
            raise OperationError(f"the fork server ended as it started: {words or exc}") from exc
        self._server.setblocking(False)
        asyncio.get_running_loop().add_reader(self._server, self._hear_server)

    def spawn(self, name: str) -> None:
        """Ask for the child called ``name``; ``started`` tells its pid."""
        ours, theirs = socket.socketpair()
        request = json.dumps({"name": name, "log": str(self._state.log(name))}).encode()
        self._server.setblocking(True)  # a request is small; the server reads between forks
        try:
            socket.send_fds(self._server, [request], [theirs.fileno()])
        except OSError:
            ours.close()
            return  # the server is gone: ``lost`` is on its way
        finally:
            theirs.close()
            self._server.setblocking(False)
        ours.setblocking(False)
        self._close_line(name)
        self._lines[name] = ours
        self._buffers[name] = b""
        asyncio.get_running_loop().add_reader(ours, self._hear_child, name, ours)

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to a child; whether it was there."""
        for pid, owner in self._names.items():
            if owner == name:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                    return True
        return False

    def tell(self, name: str, line: bytes) -> None:
        """Write one line to a child."""
        if name in self._lines:
            with contextlib.suppress(OSError):
                self._lines[name].sendall(line + b"\n")

    def close(self) -> None:
        """End the fork server, and with it whoever is left."""
        if self._process is None:
            return
        asyncio.get_running_loop().remove_reader(self._server)
        self._server.close()
        for name in list(self._lines):
            self._close_line(name)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End everything at once: the kernel ends the children with the fork server."""
        for pid in self._names:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.kill()

    def _hear_server(self) -> None:
        try:
            data = self._server.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose_server()
            return
        *lines, self._answers = (self._answers + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "status" in answer:
                name = self._names.pop(answer["pid"], None)
                if name is not None:
                    self._drain(name)
                    self._listener.ended(name, answer["status"])
            else:
                self._names[answer["pid"]] = answer["name"]
                self._listener.started(answer["name"], answer["pid"])

    def _lose_server(self) -> None:
        asyncio.get_running_loop().remove_reader(self._server)
        self._server.close()
        if self._process is not None:
            self._process.wait()
            self._process = None
        self._answers = b""
        for name in list(self._lines):
            self._close_line(name)
        self._names.clear()
        self._listener.lost()

    def _hear_child(self, name: str, line: socket.socket) -> None:
        try:
            data = line.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close_line(name, line)
            return
        *lines, self._buffers[name] = (self._buffers[name] + data).split(b"\n")
        for item in lines:
            self._listener.said(name, item)

    def _drain(self, name: str) -> None:
        """Hear a dead child's last words before its end is announced."""
        # The other end is closed, so reading comes to an end soon; the bound is for a grandchild
        # that might hold it open.
        for _ in range(64):
            line = self._lines.get(name)
            if line is None:
                return
            self._hear_child(name, line)
        self._close_line(name)

    def _close_line(self, name: str, only: socket.socket | None = None) -> None:
        line = self._lines.get(name)
        if line is None or (only is not None and line is not only):
            if only is not None:
                asyncio.get_running_loop().remove_reader(only)
                only.close()
            return
        del self._lines[name]
        asyncio.get_running_loop().remove_reader(line)
        line.close()
