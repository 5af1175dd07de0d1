"""Idle HTTP connections at a regional controller that may open few files, while HTTP must carry."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from pdsno_cli.system.open_files import allow_open_files
from tests.conftest import require
from tests.e2e.conftest import until
from tests.faults.arena import BROKERS, FULL, SEED
from tests.faults.results import record

pytestmark = pytest.mark.timeout(3600 if FULL else 120)
FILES = 256  # that the regional controller may open


class Loiterers:
    """Holds so many connections that never ask, and opens another for each that is closed."""

    def __init__(self, address: tuple[str, int], count: int) -> None:
        self.opened = 0
        self._address, self._count = address, count
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with selectors.DefaultSelector() as held:
            while not self._end.is_set():
                while len(held.get_map()) < self._count and not self._end.is_set():
                    with suppress(OSError):
                        made = socket.create_connection(self._address, 1)
                        held.register(made, selectors.EVENT_READ)
                        self.opened += 1
                for key, _ in held.select(0.05):
                    held.unregister(key.fileobj)
                    key.fileobj.close()
            for key in list(held.get_map().values()):
                key.fileobj.close()

    def end(self) -> None:
        self._end.set()
        self._thread.join(10)


@contextmanager
def loiterers(address: tuple[str, int], count: int):
    made = Loiterers(address, count)
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("kind", BROKERS)
def test_idle_http_connections_do_not_keep_reports_from_coming_over_http(arena, kind):
    count, seconds, rate = (2000, 30, 500) if FULL else (300, 3, 100)
    if allow_open_files(count + 500) < count + 500:
        pytest.skip(f"{count + 500} open files are not allowed here")
    reports = rate * (seconds + 12) // 4 * 4
    drill = arena(kind)
    drill.start_broker()
    regional = drill.start_regional(prefix=[require("prlimit"), f"--nofile={FILES}:{FILES}"])
    told = drill.state / "http" / "rc"
    field = drill.start_field(reports, rate)
    until(lambda: drill.progress() >= rate, "the first reports")
    host, _, port = told.read_text().strip().rpartition(":")
    with loiterers((host, int(port)), count) as crowd:
        until(lambda: crowd.opened >= count, "a crowd")
        os.kill(drill.broker.pid, signal.SIGSTOP)
        try:
            until(lambda: drill.logged("field", "http is active now", 0), "HTTP", 60)
            before = drill.progress()
            until(lambda: drill.progress() >= before + rate * seconds / 2, "reports over HTTP", 120)
        finally:
            os.kill(drill.broker.pid, signal.SIGCONT)
        opened = crowd.opened
        drill.sent(field, 600)
        drained = drill.drained(60)
    verdict = drill.judge()
    record("idle HTTP connections", broker=kind, seed=SEED, opened=opened,
           accepted=verdict.accepted, lost=verdict.lost, twice=verdict.twice, wrong=verdict.wrong,
           drained=round(drained, 1))  # fmt: skip
    assert verdict.clean
    assert verdict.accepted == reports
    assert drained <= 30
    assert regional.poll() is None
    assert (drill.folder / "rc.log").stat().st_size < 1_000_000
    drill.audit()
