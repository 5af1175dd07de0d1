"""A broker, a regional controller and a field of simulated senders, each a process to be harmed.

What was accepted is read from the field's own files, what was applied from the regional's store
with plain SQLite: neither by pdsno's own code. Each report gives the devices that it touches a new
name, so a device's version counts how often the reports that touch it were applied.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pdsno_cli.broker.embedded import EmbeddedBroker
from tests.commands import pdsno
from tests.e2e.conftest import PDSNO, until
from tests.e2e.test_mosquitto import Mosquitto
from tests.faults.field import DEVICES, Job, Truth, touched

HERE = Path(__file__).parent
FULL = bool(os.environ.get("PDSNO_SOAK"))  # make soak: the numbers of docs/reliability.md
SEED = int(os.environ.get("PDSNO_SOAK_SEED", "20261124"))
BROKERS = ("mosquitto", "embedded")
KEEPALIVE = 2  # seconds
DUMP_TIME = 1.0  # seconds in which processes write where they are: nothing tells when they have
LOGGED = re.compile(r"^(\S+)Z \w+ (.*)$", re.MULTILINE)  # a log line: its time and what it says


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of the accepted reports; ``applied`` counts effects on devices."""

    accepted: int
    lost: int
    twice: int
    wrong: int  # devices whose last state is not that of the last report

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.wrong)


class Arena:
    """One drill. ``lines`` are added to Mosquitto's configuration.

    The broker is at ``host``; ``prefix`` starts Mosquitto where that is. ``max_payload`` is what
    the topology says, ``regional`` and ``broker`` what these declare besides, ``extra`` more keys.
    """

    def __init__(
        self, folder: Path, port: int, kind: str, *, senders=4, lines=(),
        host="127.0.0.1", prefix=(), max_payload=1_048_576, regional="", broker="", extra="",
        anonymous=True, patience="15s",
    ) -> None:  # fmt: skip
        self.folder = folder
        self.port = port
        self.kind = kind
        self.host = host
        self.prefix = prefix
        self.lines = (f"allow_anonymous {str(anonymous).lower()}", *lines)
        self.names = [f"lc{number}" for number in range(senders)]
        self.file = folder / "arena.yaml"
        self.state = folder / "state"
        self.truth = folder / "truth"
        self.truth.mkdir()
        self._children: list[subprocess.Popen] = []
        self._embedded: EmbeddedBroker | None = None
        self.mosquitto: Mosquitto | None = None
        key = folder / "key.txt"
        key.write_text("k" * 32)
        locals_ = "".join(
            f"  {name}: {{role: local, region: r, discovery: {{targets: [127.66.0.{n + 1}]}}}}\n"
            for n, name in enumerate(self.names)
        )
        self.file.write_text(
            f"name: arena\n"
            f"broker: {{host: {host}, port: {port}, keepalive: {KEEPALIVE}s,"
            f" max_payload: {max_payload}{broker}}}\n"
            f"signing_key: file:{key}\n"
            # So that nothing is coalesced.
            f"outbox: {{messages: 1000000, size: 1000000000, patience: {patience}}}\n"
            f"{extra}"
            f"defaults: {{heartbeat: 1s}}\n"
            f"regions: {{r: {{}}}}\n"
            f"controllers:\n  gc: {{role: global}}\n  rc: {{role: regional, region: r{regional}}}\n"
            f"{locals_}"
        )

    # The broker.

    def start_broker(self) -> None:
        """Start it, with nothing of what it may have held before."""
        if self.kind == "mosquitto":
            self.mosquitto = Mosquitto(
                self.folder, self.port, *self.lines, host=self.host, prefix=self.prefix
            )
            until(self.mosquitto.answers, "Mosquitto's start")
            return
        if self._embedded is None:
            self._embedded = EmbeddedBroker(
                max_payload=1_048_576, port=self.port, on_warning=lambda _: None
            )
        self._embedded.start()

    @property
    def broker(self) -> subprocess.Popen:
        return self.mosquitto.process if self.mosquitto else self._embedded.process

    def kill_broker(self) -> None:
        if self.mosquitto:
            self.mosquitto.end()
        else:
            self.broker.kill()
            self.broker.wait()

    # Controllers.

    def start_regional(self, *, prefix=(), state=None) -> subprocess.Popen:
        return self.spawn(
            [*prefix, PDSNO, "controller", "run", str(self.file), "rc", "--state-dir",
             str(state or self.state)], "rc",
        )  # fmt: skip

    def start_doomed_regional(self, deaths: int, seed: int = SEED) -> subprocess.Popen:
        return self.spawn(
            [sys.executable, str(HERE / "doomed_regional.py"), str(self.file), str(self.state),
             str(self.port), "rc", str(seed), str(deaths)], "rc",
        )  # fmt: skip

    def start_field(
        self,
        reports: int,
        rate: float,
        *,
        deaths=0,
        state=None,
        prefix=(),
        senders=None,
        offset=0.0,
    ) -> subprocess.Popen:
        """Start the senders: ``reports`` in all, ``rate`` a second, both shared out among them.

        With ``senders`` only those; their clock is ``offset`` seconds ahead.
        """
        (state or self.state).mkdir(mode=0o700, exist_ok=True)
        for name in ("stores", "logs", "http"):
            ((state or self.state) / name).mkdir(mode=0o700, exist_ok=True)
        job = Job(
            file=str(self.file), state=str(state or self.state), port=self.port,
            senders=senders or self.names, reports=reports // len(self.names),
            rate=rate / len(self.names), truth=str(self.truth), seed=SEED, deaths=deaths,
            offset=offset,
        )  # fmt: skip
        return self.spawn([*prefix, sys.executable, str(HERE / "field.py"), job.text()], "field")

    def spawn(self, command: list[str], name: str) -> subprocess.Popen:
        log = (self.folder / f"{name}.log").open("ab")
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])}, start_new_session=True,
        )  # fmt: skip
        log.close()
        self._children.append(child)
        return child

    def sent(self, field: subprocess.Popen, wait: float = 120.0) -> None:
        """Wait until the field has sent everything that it was to send."""
        assert self.told(field, wait) == "sent", self.log("field")

    def told(self, field: subprocess.Popen, wait: float) -> str:
        """Return the next line of the field; fail where none comes within ``wait`` seconds."""
        said = []
        reader = threading.Thread(target=lambda: said.append(field.stdout.readline()), daemon=True)
        reader.start()
        reader.join(wait)
        assert said, self.log("field")
        return said[0].rstrip("\n")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def alive(self) -> bool:
        """Return True if no process of a controller ended."""
        return all(child.poll() is None for child in self._children)

    def log_bytes(self) -> int:
        """Return how much all controllers wrote to their logs."""
        return sum((self.folder / name).stat().st_size for name in ("rc.log", "field.log"))

    def logged(self, name: str, text: str, after: float) -> list[float]:
        """Return when a process logged lines with ``text``, in seconds since the time ``after``."""
        found = LOGGED.findall((self.folder / f"{name}.log").read_text(errors="replace"))
        times = [
            datetime.fromisoformat(f"{at}+00:00").timestamp() for at, said in found if text in said
        ]
        return sorted(at - after for at in times if at > after - 0.001)

    # The truth.

    def accepted(self) -> int:
        """Return how many reports were accepted from the field so far."""
        return sum(len(Truth(self.truth / name).accepted) for name in self.names)

    def waiting(self, state=None) -> int:
        """Return how many reports wait in the senders' outboxes; events wait for a global controller."""
        found = 0
        for name in self.names:
            ((count,),) = self.ask(
                name, "SELECT count(*) FROM outbox WHERE stream LIKE 'discovery/%'", state
            )
            found += count
        return found

    def progress(self, state=None) -> int:
        """Return how many reports the regional has applied so far."""
        path = (state or self.state) / "stores" / "rc.db"
        if not path.exists():
            return 0
        try:
            ((count,),) = self.ask("rc", "SELECT coalesce(sum(applied), 0) FROM received", state)
        except sqlite3.OperationalError:
            return 0  # it has no tables yet
        return count

    def drained(self, wait: float, state=None) -> float:
        """Wait until nothing waits any more; return how many seconds that took."""
        begun = time.monotonic()
        until(lambda: self.waiting(state) == 0, f"draining ({self.log('rc')[-800:]})", wait)
        return time.monotonic() - begun

    def reported(self, state=None) -> float:
        """Wait until the regional has applied something more; return how many seconds that took."""
        begun, before = time.monotonic(), self.progress(state)
        until(lambda: self.progress(state) > before, f"progress ({self.log('rc')[-800:]})")
        return time.monotonic() - begun

    def judge(self, state=None) -> Verdict:
        """Compare what was accepted with what was applied."""
        rows = self.ask("rc", "SELECT local_id, device_id, sys_name, version FROM devices", state)
        applied = {(local, device): (name, version) for local, device, name, version in rows}
        lost = twice = wrong = accepted = 0
        for name in self.names:
            truth = Truth(self.truth / name)
            accepted += len(truth.accepted)
            unsure = truth.doubtful
            for index in range(DEVICES):
                numbers = [n for n in truth.tried if index in touched(n)]
                if not numbers:
                    continue
                doubtful = sum(n in unsure for n in numbers)
                last, version = applied.get((name, f"sim:{index}"), ("", 0))
                # After the last that is sure, any may be it of which nobody was told.
                sure = max((n for n in numbers if n not in unsure), default=0)
                wrong += last not in {
                    f"report-{n}" if n else "" for n in (0, *numbers) if n >= sure
                }
                lost += max(len(numbers) - doubtful - version, 0)
                twice += max(version - len(numbers), 0)
        return Verdict(accepted=accepted, lost=lost, twice=twice, wrong=wrong)

    def audit(self) -> list[dict]:
        """Return the accounts of the senders' streams; each must be accounted for."""
        done = pdsno("audit", self.file, "--state-dir", self.state, "--json")
        streams = json.loads(done.stdout)["streams"]
        found = [row for row in streams if row["stream"].startswith("discovery/")]
        assert found
        assert not any(row["lost"] or row["twice"] for row in found), found
        return found

    def ask(self, name: str, question: str, state=None) -> list[tuple]:
        path = (state or self.state) / "stores" / f"{name}.db"
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return store.execute(question).fetchall()
        finally:
            store.close()

    def dump(self) -> None:
        """Have every controller write to its log where each of its threads is."""
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGUSR1)
                os.killpg(child.pid, signal.SIGCONT)
        time.sleep(DUMP_TIME)

    def close(self) -> None:
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            child.stdin.close()
            child.stdout.close()
        if self.mosquitto is not None:
            self.mosquitto.end()
        if self._embedded is not None:
            self._embedded.stop()
