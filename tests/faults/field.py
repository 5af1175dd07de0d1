"""Simulated local controllers: all of them is real but the devices that they report.

Run as a program: ``field.py JOB`` with a JSON job. Each sender is a whole node (store, outbox,
transports) whose role reports made-up changes at a given pace instead of probing. What the senders
were told was accepted is written to a file each, outside of pdsno: that is the truth which the
other side is judged by. With ``deaths``, the process kills itself at random moments, is forked
anew, and goes on from that file.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.lint.engine import require
from pdsno_cli.messaging.failover import FailoverTransport
from pdsno_cli.model.devices import Device
from pdsno_cli.model.errors import DiskError
from pdsno_cli.model.messages import DiscoveryReport
from pdsno_cli.model.roles import Role
from pdsno_cli.runtime import node as node_module
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.child import EXIT_LATER
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.logs import log_to_stderr
from pdsno_cli.runtime.node import Node
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.state_dir import StateDir

DEVICES = 8  # of each sender
TOUCHED = 4  # devices that one report changes
TICK = 0.02  # seconds


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a field does; ``reports`` is what each sender sends in all, ``rate`` reports a second."""

    file: str
    state: str
    port: int
    senders: list[str]
    reports: int
    rate: float
    truth: str
    seed: int = 0
    deaths: int = 0
    offset: float = 0.0  # seconds that their clock is ahead

    def text(self) -> str:
        return json.dumps(asdict(self))


class Truth:
    """What one sender tried to send, and what it was told is accepted: kept in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tried: list[int] = []
        self.accepted: set[int] = set()
        text = path.read_text() if path.exists() else ""
        for line in text.split("\n")[:-1]:
            kind, _, number = line.partition(" ")
            if not number:
                continue  # it broke off
            if kind == "try":
                self.tried.append(int(number))
            else:
                self.accepted.add(int(number))
        self._broken_off = bool(text) and not text.endswith("\n")

    @property
    def last(self) -> int:
        return self.tried[-1] if self.tried else 0

    def write(self, kind: str, numbers: range) -> None:
        lines = "".join(f"{kind} {number}\n" for number in numbers)
        with self.path.open("a") as file:
            file.write("\n" + lines if self._broken_off else lines)
        self._broken_off = False

    @property
    def doubtful(self) -> set[int]:
        """Those of which nobody was told whether they were accepted."""
        return set(self.tried) - self.accepted


def touched(number: int) -> list[int]:
    """Return the devices that report ``number`` changes."""
    return [(number * TOUCHED + index) % DEVICES for index in range(TOUCHED)]


def device(index: int, number: int) -> Device:
    return Device(
        device_id=f"sim:{index}",
        addresses=(f"10.9.0.{index + 1}",),
        protocols=("icmp", "snmp"),
        sys_name=f"report-{number}",
        sys_descr="a simulated device",
    )


class Simulated:
    """Reports made-up changes at a pace; in the place of ``LocalController``."""

    def __init__(self, context) -> None:
        self._context = context
        self._job = JOB
        name = context.spec.controller_id
        self._truth = Truth(Path(JOB.truth) / name)
        self._topic = context.topology.topics.discovery(context.spec.region, name)
        self._last = self._truth.last
        self._state = {}
        for number in self._truth.tried:
            self._state |= {index: device(index, number) for index in touched(number)}
        self._snapshot = not context.publisher.has_published(self._topic)
        self._begun = time.monotonic()
        self._sent = 0

    def start(self) -> None:
        self._context.scheduler.after(0.0, self._tick)

    def connected(self) -> None: ...
    def disconnected(self) -> None: ...
    def stop(self) -> None: ...
    def receive(self, envelope) -> None: ...
    def rejected(self, topic, why) -> None: ...

    def resync(self) -> None:
        with self._context.publisher.unit() as unit:
            unit.stage(
                self._topic, self._report(self._last, tuple(self._state.values()), whole=True)
            )

    def _report(self, number, devices, *, whole) -> DiscoveryReport:
        return DiscoveryReport(
            region=self._context.spec.region, cycle=number, snapshot=whole, outcome="complete",
            started_at="2026-01-01T00:00:00.000Z", seconds=0.0, probes=(), new=(),
            updated=devices, inactive=(), active=len(self._state),
        )  # fmt: skip

    def _tick(self) -> None:
        """Send what the clock owes, in one unit of work."""
        due = int((time.monotonic() - self._begun) * self._job.rate) + 1 - self._sent
        if DOOMED is not None:
            due = min(due, 1)  # one call, one report: its death shall come right after it
        numbers = range(self._last + 1, min(self._last + due, self._job.reports) + 1)
        if numbers:
            self._send(numbers)
        if self._last < self._job.reports:
            self._context.scheduler.after(TICK, self._tick)
        else:
            FINISHED.release()

    def _send(self, numbers: range) -> None:
        self._truth.write("try", numbers)
        publisher = self._context.publisher
        full = publisher.full(self._topic)
        with publisher.unit() as unit:
            if full:
                unit.coalesce(self._topic)
            for number in numbers:
                changed = {index: device(index, number) for index in touched(number)}
                self._state |= changed
                whole = self._snapshot or full
                told = self._state if whole else changed
                self._snapshot = full = False
                unit.stage(self._topic, self._report(number, tuple(told.values()), whole=whole))
        self._truth.write("accepted", numbers)
        self._last = numbers[-1]
        self._sent += len(numbers)
        if DOOMED is not None:
            DOOMED.count(len(numbers))


class Doom:
    """Kills this process after a random number of accepted reports."""

    def __init__(self, rng: random.Random) -> None:
        self._left = rng.randint(1, 60)
        self._lock = threading.Lock()

    def count(self, reports: int) -> None:
        with self._lock:
            self._left -= reports
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


JOB: Job
FINISHED = threading.Semaphore(0)
DOOMED: Doom | None = None


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Quiet:
    def notice(self, notice) -> None: ...


def run_one(node: Node) -> None:
    """Run one sender; where its disk is full the whole process ends, as ``pdsno up`` would see it."""
    try:
        node.run()
    except DiskError as exc:
        logging.getLogger().error("%s", exc)  # noqa: TRY400 - a foreseen failure is one line
        os._exit(EXIT_LATER)


def run(job: Job, *, until_told: bool = True) -> None:
    """Run all senders until everything is sent, and then until standard input ends."""
    topology = require(job.file)
    state = StateDir(Path(job.state))
    node_module._CONTROLLERS[Role.LOCAL] = Simulated
    key = signing_key(topology, state)
    access = broker_access(topology, embedded_port=job.port)
    sources = own_addresses(topology, state)

    def connect(name: str, epoch: int) -> FailoverTransport:
        return failover_transport(
            name, epoch, live=LiveTopology(topology), state=state, key=key, access=access,
            source=sources.get(name),
        )  # fmt: skip

    nodes = [
        Node(
            topology=topology, controller_id=name, key=key, store=state.store(name),
            connect=connect, watcher=Quiet(),
        )
        for name in job.senders
    ]  # fmt: skip
    threads = [threading.Thread(target=run_one, args=(node,), daemon=True) for node in nodes]
    for thread in threads:
        thread.start()
    for _ in nodes:
        FINISHED.acquire()
    if until_told:
        say("sent")
        sys.stdin.read()
    for node in nodes:
        node.stop()
    for thread in threads:
        thread.join(10)


def shift_clock(seconds: float) -> None:
    """Let the wall clock of this process be ahead; what counts seconds is left alone."""
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + int(seconds * 1e9)


def live(job: Job) -> None:
    """Live and die ``job.deaths`` times, say of how many that was true, then live to the end."""
    global DOOMED  # noqa: PLW0603 - one life a process
    rng = random.Random(job.seed)
    died = 0
    for _ in range(job.deaths):
        seed = rng.random()
        pid = os.fork()
        if pid == 0:
            DOOMED = Doom(random.Random(seed))
            run(job, until_told=False)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        died += os.WIFSIGNALED(status)
        time.sleep(0.01)
    if job.deaths:
        say(f"died {died}")
    run(job)


if __name__ == "__main__":
    log_to_stderr()
    JOB = Job(**json.loads(sys.argv[1]))
    if JOB.offset:
        shift_clock(JOB.offset)
    live(JOB)
