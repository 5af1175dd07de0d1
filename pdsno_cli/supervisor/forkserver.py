"""The fork server: a small process that imports everything once and forks every child.

A child so made starts in milliseconds and shares the pages of what was imported. The protocol
runs over one socket: a first message holds the job (a pickled ``Job``), each request is one
JSON object with one file descriptor, the child's line to the supervisor; answers are JSON lines:
``{"name", "pid"}`` for a child that was started, ``{"pid", "status"}`` for one that ended. When
the supervisor's end closes, every child is asked to stop and then made to.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from pdsno_cli.runtime import collector
from pdsno_cli.runtime.child import Job, import_all, preload, run_child
from pdsno_cli.system import parent_death

if TYPE_CHECKING:
    from types import FrameType

_GRACE = 3.0  # seconds for children to say farewell once the supervisor is gone
_REQUEST = 65_536


class ForkServer:
    """The fork server's loop. Single-threaded, as forking demands."""

    def __init__(self, line: socket.socket, job: Job) -> None:
        self._line = line
        self._job = job
        self._children: set[int] = set()
        self._pid = os.getpid()

    def serve(self) -> None:
        """Fork on request until the supervisor's end closes, then end the children."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        self._pipes = (wake_read, wake_write)
        with selectors.DefaultSelector() as selector:
            selector.register(self._line, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if wake_read in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                    self._reap()
                if self._line.fileno() in ready and not self._take_request():
                    break
        self._end_all()

    def _take_request(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._line, _REQUEST, 1)
        except ConnectionError:
            return False
        if not data:
            return False
        request = json.loads(data)
        (fd,) = fds
        pid = os.fork()
        if pid == 0:
            self._be_child(request, fd)
        os.close(fd)
        self._children.add(pid)
        self._answer({"name": request["name"], "pid": pid})
        return True

    def _be_child(self, request: dict[str, str], fd: int) -> None:
        """Run as the child; never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for pipe in self._pipes:
                os.close(pipe)
            self._line.close()
            parent_death.follow(signal.SIGKILL)
            if os.getppid() != self._pid:  # it ended before the call above
                os._exit(0)
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            status = run_child(self._job, request["name"], socket.socket(fileno=fd))
        except BaseException:  # noqa: BLE001 - a child must never run on as a second fork server
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._children.discard(pid)
            self._answer({"pid": pid, "status": os.waitstatus_to_exitcode(status)})

    def _answer(self, answer: dict[str, object]) -> None:
        with contextlib.suppress(OSError):
            self._line.sendall(json.dumps(answer).encode() + b"\n")

    def _end_all(self) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """Let the signal only wake the loop."""


def main() -> None:
    """Serve on the socket whose file descriptor is the first argument."""
    line = socket.socket(fileno=int(sys.argv[1]))
    # Ctrl-C reaches the whole terminal group; the supervisor alone decides who stops and when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Blocked, not ignored: a child that is asked to stop before it can listen still hears it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    import_all()
    size = int.from_bytes(_exactly(line, 8), "big")
    job: Job = pickle.loads(_exactly(line, size))  # noqa: S301 - our own parent wrote it
    preload(job)
    collector.spare()
    ForkServer(line, job).serve()


def _exactly(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = line.recv(size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return bytes(data)


if __name__ == "__main__":
    main()
