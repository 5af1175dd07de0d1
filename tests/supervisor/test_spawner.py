"""The spawner with a real fork server and real children, which end at once."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.child import EXIT_CRASHED, Job
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor.spawner import Spawner
from tests.conftest import ONE_OF_EACH

WAIT = 60.0  # seconds for what is sure to happen; a bound, never a pace


class Listener:
    def __init__(self):
        self.ends = Counter()
        self.pids = {}
        self.refusals = {}
        self.losses = []
        self.news = asyncio.Event()

    def started(self, name, pid):
        self.pids[name] = pid
        self.news.set()

    def not_started(self, name, reason):
        self.refusals[name] = reason
        self.news.set()

    def received(self, name, line):
        pass

    def ended(self, name, status):
        self.ends[name, status] += 1
        self.news.set()

    def lost(self, reason, *, served):
        self.losses.append((reason, served))
        self.news.set()

    async def until(self, condition):
        async with asyncio.timeout(WAIT):
            while not condition():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def spawning(folder: Path):
    """Start a fork server; a child whose name the topology does not have ends at once."""
    file = folder / "one.yaml"
    file.write_text(ONE_OF_EACH)
    topology, state = require(str(file)), StateDir(folder / "state")
    state.make()
    listener = Listener()
    spawner = Spawner(topology, state, listener)
    spawner.start()
    spawner.set_job(
        Job(
            topology=topology,
            state=state,
            key=b"k" * 32,
            broker=broker_access(topology, embedded_port=1),
            sources={},
        )
    )
    try:
        yield spawner, listener
    finally:
        await spawner.close()


def test_many_children_requested_at_once_are_all_started_and_their_ends_reported(tmp_path):
    names = [f"none-{number}" for number in range(400)]

    async def run():
        async with spawning(tmp_path) as (spawner, listener):
            for name in names:  # without giving way: nothing is read meanwhile
                spawner.spawn(name)
            await listener.until(lambda: listener.ends.total() == len(names))
            return listener.ends

    assert asyncio.run(run()) == {(name, EXIT_CRASHED): 1 for name in names}


def test_a_withdrawn_request_is_never_started(tmp_path):
    async def run():
        async with spawning(tmp_path) as (spawner, listener):
            spawner.spawn("none-1")
            spawner.spawn("none-2")
            assert spawner.withdraw("none-1")
            assert not spawner.withdraw("none-1")
            await listener.until(lambda: listener.ends)
            return listener.ends

    assert asyncio.run(run()) == {("none-2", EXIT_CRASHED): 1}


def test_stopped_fork_server_is_woken_and_goes_on(tmp_path):
    async def run():
        async with spawning(tmp_path) as (spawner, listener):
            spawner.spawn("none-1")
            await listener.until(lambda: listener.ends)
            spawner._process.send_signal(signal.SIGSTOP)
            spawner.spawn("none-2")
            await listener.until(lambda: ("none-2", EXIT_CRASHED) in listener.ends)
            return listener.losses

    assert asyncio.run(run()) == []


def test_killed_fork_server_is_reported_and_a_new_one_starts_what_is_requested(tmp_path):
    async def run():
        async with spawning(tmp_path) as (spawner, listener):
            spawner.spawn("none-1")
            await listener.until(lambda: listener.ends)
            spawner._process.kill()
            await listener.until(lambda: listener.losses)
            spawner.spawn("none-2")
            spawner.start()
            await listener.until(lambda: ("none-2", EXIT_CRASHED) in listener.ends)
            return listener.losses

    assert asyncio.run(run()) == [("killed by signal 9", True)]


def test_fork_server_that_cannot_start_is_reported_with_its_last_line(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif any('forkserver' in word for word in sys.orig_argv):\n"
        "    import os\n    os.write(2, b'no such luck\\n')\n    os._exit(1)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def run():
        async with spawning(tmp_path) as (_, listener):
            await listener.until(lambda: listener.losses)
            return listener.losses

    assert asyncio.run(run()) == [("no such luck", False)]
