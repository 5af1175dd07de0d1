"""Real brokers for tests: Debian's Mosquitto and our embedded one, behind one small surface."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

from pdsno_cli.broker.embedded import EmbeddedBroker
from pdsno_cli.broker.probe import probe
from pdsno_cli.model.errors import BrokerError
from tests.conftest import free_port, require

LIMIT = 2_000_000


class Mosquitto:
    """One Mosquitto with a configuration of its own."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self._program = require("mosquitto")
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            "\n".join(
                (
                    f"listener {self.port} 127.0.0.1",
                    "user root" if os.geteuid() == 0 else "",
                    "persistence false",
                    *(lines or ("allow_anonymous true",)),
                )
            )
            + "\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", self._config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            assert self._process.poll() is None, self._config.read_text()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Embedded:
    """The embedded broker on a fixed port."""

    def __init__(self, protocol: str) -> None:
        self.warnings: list[str] = []
        self._broker = EmbeddedBroker(
            max_payload=LIMIT, protocol=protocol, on_warning=self.warnings.append
        )
        self.port = 0

    def start(self) -> None:
        self.port = self._broker.start().port

    def send_signal(self, number: int) -> None:
        self._broker.process.send_signal(number)

    def kill(self) -> None:
        if self._broker.process is not None:
            self._broker.process.kill()
        self._broker.stop()


def wait_for(port: int, protocol: str = "3.1.1") -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            probe("127.0.0.1", port, protocol=protocol)
        except BrokerError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return
