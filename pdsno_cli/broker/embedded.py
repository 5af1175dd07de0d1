"""Starts and stops the embedded broker, which is a process of its own."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pdsno_cli.broker.config import HOST
from pdsno_cli.broker.probe import probe_embedded
from pdsno_cli.model.errors import BrokerError
from pdsno_cli.model.topics import DEFAULT_ROOT
from pdsno_cli.system.interpreter import run_module
from pdsno_cli.system.reserved_port import ReservedPort

log = logging.getLogger(__name__)

_START = 10.0  # seconds within which it accepts a client, even on a loaded machine
_POLL = 0.005  # seconds between attempts
_STOP = 2.0  # seconds between SIGTERM and SIGKILL
_FILES = 65_536  # limit of open files, if the machine permits
_ATTEMPTS = 3  # if another process takes the free port in the same instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The ports of the embedded broker: it serves each version of MQTT on one of its own.

    ``port`` is the one of the topology's protocol, the other is for tools.
    """

    host: str
    port: int
    port_311: int
    port_5: int


class EmbeddedBroker:
    """The embedded broker's process, on loopback. It ends with the thread that started it.

    ``port`` 0 takes a free one, and keeps it across restarts. ``max_payload`` is in bytes.
    ``files`` bounds the number of clients, ``root`` is the topic root of its topology, ``name`` its
    name.
    ``on_warning`` is called with each line that the broker writes, on a thread of its own.
    """

    def __init__(
        self,
        *,
        max_payload: int,
        port: int = 0,
        protocol: Literal["3.1.1", "5"] = "3.1.1",
        files: int = _FILES,
        root: str = DEFAULT_ROOT,
        name: str = "",
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._files = files
        self._root = root
        self._name = name
        self._max_payload = max_payload
        self._wanted = port
        self._v5 = protocol == "5"
        self._on_warning = on_warning if on_warning is not None else _log
        self._last: deque[str] = deque(maxlen=5)
        self._reader: threading.Thread | None = None
        self._endpoint: Endpoint | None = None
        self._given_up = False
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Endpoint:
        """Start it and return once it accepts clients; BrokerError if that fails.

        After its process ended, another call starts it on the same ports; the one for tools is
        another if it is in use by now.
        """
        if self._endpoint is not None or self._wanted:
            self.stop()
            endpoint = self._endpoint or self._choose(self._wanted)
            endpoint = self._choose(endpoint.port, other=self._other(endpoint))
            self._launch(endpoint)
            return endpoint
        for attempt in range(_ATTEMPTS):
            endpoint = self._choose(0)
            try:
                self._launch(endpoint)
            except BrokerError:
                if attempt == _ATTEMPTS - 1 or self._given_up:
                    raise
            else:
                break
        return endpoint

    def give_up(self) -> None:
        """Make a ``start`` on another thread end soon, with a BrokerError."""
        self._given_up = True

    def stop(self) -> None:
        """End its process, if it is running."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            process.send_signal(signal.SIGCONT)  # a process stopped by SIGSTOP would not end
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            process.stdin.close()
        if self._reader is not None:
            self._reader.join(_STOP)

    def _choose(self, port: int, *, other: int = 0) -> Endpoint:
        """Return the ports: ``port`` for the topology's protocol, and ``other`` if it is free."""
        chosen = port or _free_port()
        if not other or not _is_free(other):
            other = _free_port()
        port_311, port_5 = (other, chosen) if self._v5 else (chosen, other)
        return Endpoint(host=HOST, port=chosen, port_311=port_311, port_5=port_5)

    def _other(self, endpoint: Endpoint) -> int:
        return endpoint.port_311 if self._v5 else endpoint.port_5

    def _launch(self, endpoint: Endpoint) -> None:
        self.stop()
        # Otherwise another process may listen there first, and be taken for this broker.
        with _reserved(endpoint.port_311), _reserved(endpoint.port_5):
            self._spawn(endpoint)
        self._endpoint = endpoint

    def _spawn(self, endpoint: Endpoint) -> None:
        numbers = (os.getpid(), self._max_payload, endpoint.port_311, endpoint.port_5, self._files)
        self.process = process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            run_module("pdsno_cli.broker", *map(str, numbers), self._root, self._name),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C is for the supervisor, which stops it last
        )
        self._last.clear()
        self._reader = threading.Thread(
            target=self._read, args=(process,), name="broker warnings", daemon=True
        )
        self._reader.start()
        try:
            self._wait(process, endpoint)
        except BaseException:
            self.stop()
            raise

    def _wait(self, process: subprocess.Popen[str], endpoint: Endpoint) -> None:
        deadline = time.monotonic() + _START
        while True:
            if process.poll() is not None:
                self.stop()
                reason = self._last[-1] if self._last else f"exit code {process.returncode}"
                raise BrokerError(f"the embedded broker did not start: {reason}")
            try:
                # Each protocol's listener starts on a thread of its own.
                probe_embedded(endpoint.host, endpoint.port_311, "3.1.1")
                probe_embedded(endpoint.host, endpoint.port_5, "5")
            except BrokerError as exc:
                if time.monotonic() > deadline or self._given_up:
                    raise BrokerError(f"the embedded broker did not start: {exc}") from exc
                time.sleep(_POLL)
            else:
                return

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Pass on each line of the broker until its process ends; on a thread of its own."""
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                text = line.rstrip()
                if text:
                    self._last.append(text)
                    self._on_warning(text)


def _log(line: str) -> None:
    log.warning("embedded broker: %s", line)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def _is_free(port: int) -> bool:
    try:
        require_free_port(port)
    except BrokerError:
        return False
    return True


def require_free_port(port: int) -> None:
    """Raise BrokerError if ``port`` is in use."""
    _reserved(port).close()


def _reserved(port: int) -> ReservedPort:
    try:
        return ReservedPort(HOST, port)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise BrokerError(
                f"port {port} is in use: stop the process that listens on it, or set another "
                "broker.port (0 takes a free one)"
            ) from exc
        raise BrokerError(f"port {port} cannot be used: {exc.strerror}") from exc
