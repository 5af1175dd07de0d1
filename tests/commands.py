"""Runs short pdsno commands in processes of their own, forked from one that has imported it all.

Python's start and the imports are most of what a command takes, and tests run thousands. What is
tested is a process as ever, with streams, a working directory, an environment and an exit code of
its own. Tests of the start itself (imports, encodings, limits, options of Python) start Python, and
so do those of the documentation.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

_READ = 65_536  # bytes
_HEAD = 4  # bytes of a request's size
_NOT_NEEDED = ".top_app"  # the full-screen view is no short command, and slow to import


def pdsno(
    *words: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = 60.0,
    text: bool = True,
) -> subprocess.CompletedProcess[Any]:
    """Run a command as ``subprocess.run`` with ``capture_output`` would, on ``stdin`` or nothing.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds, when the command was killed.
    """
    command = ["pdsno", *map(str, words)]
    request = {
        "argv": command,
        "cwd": str(cwd or Path.cwd()),
        "env": dict(os.environ if env is None else env),
    }
    inputs = _filled_pipe(stdin or b"")
    # The command's stdout and stderr, and what the server says of it: its process id, its status.
    pipes = [os.pipe() for _ in range(3)]
    try:
        _server().start(json.dumps(request).encode(), [inputs, *(write for _, write in pipes)])
    finally:
        for end in (inputs, *(write for _, write in pipes)):
            os.close(end)
    out, err, told = _read_all([read for read, _ in pipes], command, timeout)
    assert b" " in told, _server().close()
    status = int(told.split()[1])
    if not text:
        return subprocess.CompletedProcess(command, status, out, err)
    return subprocess.CompletedProcess(command, status, _text(out), _text(err))


def _filled_pipe(data: bytes) -> int:
    assert len(data) <= _READ  # what a pipe holds
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _read_all(pipes: list[int], command: list[str], timeout: float) -> list[bytes]:
    """Read all pipes to their ends and close them; kill the command when the time is over."""
    read = dict.fromkeys(pipes, b"")
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        try:
            while selector.get_map():
                ready = selector.select(max(deadline - time.monotonic(), 0))
                if not ready:
                    os.kill(int(read[pipes[-1]].split()[0]), signal.SIGKILL)
                    raise subprocess.TimeoutExpired(command, timeout, *list(read.values())[:2])
                for key, _ in ready:
                    data = os.read(key.fd, _READ)
                    read[key.fd] += data
                    if not data:
                        selector.unregister(key.fd)
        finally:
            for pipe in pipes:
                os.close(pipe)
    return list(read.values())


class _Server:
    """The process that forks, in the eyes of the tests; it ends with them."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with closing(theirs):
            # Its streams are pipes, which is what those of commands will be.
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def start(self, request: bytes, streams: Sequence[int]) -> None:
        with self._lock:
            socket.send_fds(self._line, [len(request).to_bytes(_HEAD)], streams)
            self._line.sendall(request)

    def close(self) -> str:
        """End it; return what it said."""
        self._line.close()
        _, said = self._process.communicate()
        return said.decode()


@cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


# What follows is run by the server.


def _import_all() -> None:
    """Import what commands need, in the functions that they call, too."""
    import importlib
    import pkgutil

    import pdsno_cli

    for package in ("cli", "client", "lint"):
        folder = Path(pdsno_cli.__path__[0], package)
        for found in pkgutil.walk_packages([str(folder)], f"pdsno_cli.{package}."):
            if not found.name.endswith(_NOT_NEEDED):
                importlib.import_module(found.name)
    gc.freeze()


def _serve(line: socket.socket) -> None:
    """Fork for each request; return in each child, which is then to run its command."""
    children: dict[int, int] = {}  # by process id, the pipe on which its end is told
    wake_read, wake_write = os.pipe()
    for end in (wake_read, wake_write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([line, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, _READ)
            _reap(children)
        if line not in ready:
            continue
        head, streams, _, _ = socket.recv_fds(line, _HEAD, 4)
        if not head:
            sys.exit()
        request = line.recv(int.from_bytes(head), socket.MSG_WAITALL)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for inherited in (line.detach(), wake_read, wake_write, *children.values()):
                os.close(inherited)
            _become(json.loads(request), streams)
            return
        for stream in streams[:3]:
            os.close(stream)
        os.write(streams[3], b"%d " % pid)
        children[pid] = streams[3]


def _reap(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        pipe = children.pop(pid)
        with suppress(BrokenPipeError):  # nobody waits for one that was killed
            os.write(pipe, b"%d" % os.waitstatus_to_exitcode(status))
        os.close(pipe)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv = request["argv"]


def _end(status: object) -> None:
    """Do what Python does at its end, but do not take apart all that was imported."""
    if not (status is None or isinstance(status, int)):
        raise SystemExit(status)  # a message, which Python prints
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    del sys.path[0]  # this folder, which `pdsno` does not have
    _import_all()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from pdsno_cli.__main__ import main

    try:
        main()
    except SystemExit as end:
        _end(end.code)
