"""Starts pdsno as a user does, on addresses, ports and topic roots of each test's own."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from pdsno_cli.supervisor import control
from tests.commands import pdsno

PDSNO = str(Path(sys.executable).with_name("pdsno"))
TOPOLOGIES = Path(__file__).parents[2] / "topologies"
WAIT = 30.0  # seconds for anything that is sure to happen; a bound, never a pace


def marked_processes(mark: str) -> list[int]:
    """Return the living processes whose environment holds ``mark``, also of other parents."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                marked = mark.encode() in (entry / "environ").read_bytes()
            except OSError:
                continue
            if marked:
                found.append(int(entry.name))
    return found


def until(condition, what: str, wait: float = WAIT):
    """Poll what has no event to wait for; return the first true value.

    A condition that starts a command leaves the processor to what it waits for, most of the time.
    """
    deadline = time.monotonic() + wait
    while (begun := time.monotonic()) < deadline:
        value = condition()
        if value:
            return value
        time.sleep(min(max(0.03, 2 * (time.monotonic() - begun)), 0.5))
    pytest.fail(f"{what} did not happen within {wait:g} s")


class Run:
    """One ``pdsno …`` process in a session of its own, its lines read as they come."""

    def __init__(self, *args: str, env: dict[str, str] | None = None, prefix=()) -> None:
        self._mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [*prefix, PDSNO, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "NO_COLOR": "1", "PDSNO_TEST_MARK": self._mark, **(env or {})},
        )
        self.lines: list[str] = []
        self.out = ""
        self._news = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read_err, daemon=True),
            threading.Thread(target=self._read_out, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_err(self) -> None:
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self.lines.append("<end>")
            self._news.notify_all()

    def _read_out(self) -> None:
        self.out = self.process.stdout.read()

    def wait_line(self, pattern: str, *, after: int = 0, wait: float = WAIT) -> re.Match:
        """Wait for a line of stderr that matches; the test fails with all lines if none comes."""
        deadline = time.monotonic() + wait
        with self._news:
            index = after
            while True:
                for line in self.lines[index:]:
                    if found := re.search(pattern, line):
                        return found
                index = len(self.lines)
                left = deadline - time.monotonic()
                if left <= 0 or "<end>" in self.lines:
                    pytest.fail(f"no line {pattern!r} in:\n" + "\n".join(self.lines))
                self._news.wait(left)

    def ready(self, wait: float = WAIT) -> Run:
        self.wait_line(r"all \d+ controllers ready", wait=wait)
        return self

    def end(self, wait: float = WAIT) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(wait)
        for reader in self._readers:
            reader.join(wait)
        return code

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def members(self) -> list[int]:
        """Return every living process of this run: supervisor, fork server, broker, children."""
        return marked_processes(self._mark)

    def broker(self) -> int:
        """Return the process of the embedded broker."""
        words = [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in self.members()]
        return next(pid for pid, line in words if line.rstrip(b"\0").endswith(b" broker"))

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.members():
            os.kill(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


class Site:
    """A small topology of a test's own: file, state directory, topic root, addresses."""

    def __init__(self, folder: Path, runs: list[Run]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.file = folder / "site.yaml"
        self.root = f"t{uuid.uuid4().hex[:10]}"
        # Loopback holds 2^24 addresses: a random /24 of its own for each test.
        self.net = f"127.{random.randint(120, 250)}.{random.randint(0, 255)}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((f"{self.net}.1", 0))
            self.snmp_port = probe.getsockname()[1]
        self.port = 0
        self._runs = runs

    def write(
        self,
        *,
        broker: str = "{embedded: true}",
        interval: str = "1s",
        heartbeat: str = "1s",
        devices: int = 6,
        snmp: int = 3,
        extra: str = "",
        lab: bool = True,
        fallbacks: str = "[mqtt]",
        details: str = "false",
    ) -> Path:
        half = devices // 2
        lab_text = f"lab: {{mode: loopback, devices: {devices}, snmp: {snmp}}}" if lab else ""
        self.file.write_text(f"""\
name: {self.root}
broker: {broker}
topics: {{root: {self.root}}}
fallbacks: {fallbacks}
defaults:
  heartbeat: {heartbeat}
  discovery:
    interval: {interval}
    protocols: [icmp, snmp]
    missed_cycles: 2
    snmp: {{port: {self.snmp_port}, timeout: 500ms, details: {details}}}
regions:
  r1: {{policy: {{scan_interval: {interval}}}}}
controllers:
  g1: {{role: global}}
  rc1: {{role: regional, region: r1}}
  lc1: {{role: local, region: r1, discovery: {{targets: ["{self.net}.1-{self.net}.{half}"]}}}}
  lc2: {{role: local, region: r1, discovery: {{targets: ["{self.net}.{half + 1}-{self.net}.{devices}"]}}}}
{lab_text}
{extra}
""")
        return self.file

    def pdsno(self, *args: str, **kwargs) -> Run:
        run = Run(*args, **kwargs)
        self._runs.append(run)
        return run

    def up(self, *args: str, **kwargs) -> Run:
        return self.pdsno("up", str(self.file), "--state-dir", str(self.state), *args, **kwargs)

    def up_over(self, way: str, request) -> Run:
        """Run on a broker, ``embedded`` or ``mosquitto``, or ``in-process``, with cycles far apart."""
        broker = "{embedded: true}"
        if way == "mosquitto":
            port = request.getfixturevalue("mosquitto").port
            broker = f"{{embedded: false, host: 127.0.0.1, port: {port}}}"
        self.write(broker=broker, interval="1h")
        return self.up(*(["--in-process"] if way == "in-process" else [])).ready()

    def ask(self, *args: str) -> subprocess.CompletedProcess:
        """Run a short command about the running topology."""
        return pdsno(*args, "--state-dir", self.state, timeout=WAIT)

    def status(self) -> dict:
        """Return what ``pdsno status --json`` prints, from where it has it: tests poll it."""
        return control.ask(self.state / "control.sock", {"op": "status"})

    def row(self, controller_id: str) -> dict:
        return next(r for r in self.status()["controllers"] if r["id"] == controller_id)

    def devices(self, *args: str) -> list[dict]:
        done = self.ask("devices", str(self.file), "--json", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["devices"]


@pytest.fixture
def runs():
    started: list[Run] = []
    yield started
    for run in reversed(started):
        run.clean_up()


@pytest.fixture
def site(tmp_path, runs) -> Site:
    return Site(tmp_path, runs)
