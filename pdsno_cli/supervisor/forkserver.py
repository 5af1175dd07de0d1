"""The fork server: a small process that imports everything once and forks every child.

A child starts in milliseconds and shares the pages of the imported modules. The protocol
runs over one socket: a first message holds the job (a pickled ``Job``), then both sides write JSON
lines. Requests are ``{"name"}`` with one file descriptor, the child's socket to the
supervisor, ``{"job"}`` for the children that follow, and ``{"ping"}``. Answers are ``{"serving"}`` once, ``{"name", "pid"}`` for a child that
was started, ``{"name", "error"}`` for one that could not be, ``{"pid", "status"}`` for one that
ended, ``{"pong"}``. When the supervisor's end closes, every child gets SIGTERM, then SIGKILL; the
end of the supervisor also wakes a fork server that was stopped by a signal.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import pickle
import selectors
import signal
import socket
import sys
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING

from pdsno_cli.runtime.child import Job, import_all, preload, run_child
from pdsno_cli.runtime.gc_tuning import tune_gc
from pdsno_cli.runtime.logs import log_to_stderr
from pdsno_cli.system import parent_death
from pdsno_cli.system.process_title import set_process_title

if TYPE_CHECKING:
    from types import FrameType

_GRACE = 3.0  # seconds that children have to stop once the supervisor is gone
_READ = 65_536  # bytes read at once
_DESCRIPTORS = 64  # received at once; more than the supervisor has in flight


class ForkServer:
    """The fork server's loop. Single-threaded, as forking demands."""

    def __init__(self, line: socket.socket, job: Job) -> None:
        self._line = line
        self._job = job
        self._children: set[int] = set()
        self._pid = os.getpid()
        self._rest = b""
        self._descriptors: deque[int] = deque()  # of requests not yet handled

    def serve(self) -> None:
        """Fork on request until the supervisor's end closes, then end the children."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        self._pipes = (wake_read, wake_write)
        self._answer({"serving": True})
        with selectors.DefaultSelector() as selector:
            selector.register(self._line, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if wake_read in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake_read, 4096)
                    self._reap()
                if self._line.fileno() in ready and not self._handle_requests():
                    break
        self._end_all()

    def _handle_requests(self) -> bool:
        """Handle the requests that arrived; return False when the supervisor's end is closed."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._line, _READ, _DESCRIPTORS)
        except ConnectionError:
            return False
        if not data:
            return False
        self._descriptors.extend(descriptors)  # a descriptor comes with its request's first byte
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "ping" in request:
                self._answer({"pong": True})
            elif "job" in request:
                job: Job = pickle.loads(base64.b64decode(request["job"]))  # noqa: S301 - as at first
                self._job = job
            else:
                self._fork(request, self._descriptors.popleft())
        return True

    def _fork(self, request: dict[str, str], descriptor: int) -> None:
        try:
            pid = os.fork()
        except OSError as exc:  # out of processes or memory, for now
            os.close(descriptor)
            self._answer({"name": request["name"], "error": exc.strerror})
            return
        if pid == 0:
            self._be_child(request, descriptor)
        os.close(descriptor)
        self._children.add(pid)
        self._answer({"name": request["name"], "pid": pid})

    def _be_child(self, request: dict[str, str], fd: int) -> None:
        """Run as the child; never returns."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for inherited in (*self._pipes, *self._descriptors):
                os.close(inherited)
            self._line.close()
            parent_death.follow(signal.SIGKILL)
            if os.getppid() != self._pid:  # it ended before the call above
                os._exit(0)
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
                os.kill(pid, signal.SIGCONT)  # it may be stopped by SIGSTOP
        deadline = time.monotonic() + _GRACE
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: the wakeup descriptor wakes the loop."""


def main() -> None:
    """Serve; arguments: the socket's file descriptor, the supervisor's process id, the topology.

    A last argument only makes room for the titles of children.
    """
    gc.disable()  # until all is imported
    log_to_stderr()
    descriptor, supervisor = map(int, sys.argv[1:3])
    set_process_title(sys.argv[3], "fork server")
    line = socket.socket(fileno=descriptor)
    # SIGCONT, not SIGKILL: it wakes up if it was stopped, and ends its children in order.
    parent_death.follow(signal.SIGCONT)
    if os.getppid() != supervisor:  # it ended before the call above
        return
    # Ctrl-C, and a terminal that closes, signal the whole process group; the supervisor alone
    # decides what stops and when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Blocked, not ignored: a child gets a SIGTERM sent before its handler was installed.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    import_all()
    size = int.from_bytes(_exactly(line, 8), "big")
    job: Job = pickle.loads(_exactly(line, size))  # noqa: S301 - our own parent wrote it
    preload(job)
    tune_gc()
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
