"""What the process runner does beside the fork server: the lab first, faults, losses."""

from __future__ import annotations

import asyncio

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.runtime.child import EXIT_LATER, LAB
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor import process_runner
from pdsno_cli.supervisor.child import MAX_FAILURES
from pdsno_cli.supervisor.process_runner import ProcessRunner
from tests.conftest import ONE_OF_EACH


class Spawner:
    """Records what the runner has it do."""

    def __init__(self, _topology, _state, _listener):
        self.wanted, self.signals, self.starts = [], [], 0

    def start(self):
        self.starts += 1

    def set_job(self, job):
        self.job = job

    def spawn(self, name):
        self.wanted.append(name)

    def withdraw(self, name):
        found = name in self.wanted
        if found:
            self.wanted.remove(name)
        return found

    def signal(self, name, number):
        self.signals.append((name, number.name))
        return True

    def send(self, name, line):
        self.sent = (name, line)

    def wake(self):
        self.signals.append(("fork server", "SIGCONT"))

    async def close(self):
        pass


class Listener:
    def __init__(self):
        self.events = []
        self.board = self
        self.stopping = False

    def all_on_broker(self):
        return True

    def requested(self, name):
        self.events.append(("requested", name))

    def started(self, name, pid):
        self.events.append(("started", name, pid))

    def noticed(self, notice):
        self.events.append(notice)

    def ended(self, name, status, *, reason=None, held=False):
        self.events.append(("ended", name, status, reason, held))

    def failed(self, reason):
        self.events.append(("failed", reason))


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that runs a scenario with an opened runner, its spawner and listener."""
    monkeypatch.setattr(process_runner, "Spawner", Spawner)
    monkeypatch.setattr(process_runner, "restart_delay", lambda _failures: 0.0)

    def run(scenario, *, lab=False):
        file = tmp_path / "one.yaml"
        file.write_text(ONE_OF_EACH + ("lab: {mode: loopback, devices: 1}\n" if lab else ""))
        state = StateDir(tmp_path / "state")
        state.make()

        async def play():
            runner = ProcessRunner(require(str(file)), state, b"k" * 32, lambda _: None)
            listener = Listener()
            await runner.open(listener)
            try:
                await scenario(runner, runner._spawner, listener)
            finally:
                await runner.close()

        asyncio.run(play())

    return run


def test_controllers_start_once_the_lab_answers(opened):
    async def scenario(runner, spawner, listener):
        assert listener.events == [("requested", LAB)]
        runner.start(LAB)
        runner.start("gc")
        runner.start("lc")
        assert spawner.wanted == [LAB]
        runner.stop("lc")
        runner.received(LAB, b'{"ready": true}')
        assert spawner.wanted == [LAB, "gc"]
        assert listener.events[1:] == [("ended", "lc", None, None, False)]

    opened(scenario, lab=True)


def test_a_lab_that_cannot_start_fails_the_run(opened):
    async def scenario(runner, _spawner, listener):
        runner.received(LAB, b'{"error": "port in use"}')
        assert listener.events[-1] == ("failed", "port in use")

    opened(scenario, lab=True)


def test_a_topology_without_lab_refuses_its_requests(opened):
    async def scenario(runner, _spawner, _listener):
        with pytest.raises(OperationError, match="has no lab"):
            await runner.operations["lab"]({"change": "remove"})

    opened(scenario)


def test_stop_withdraws_what_is_not_yet_forked_and_continues_what_is_stopped(opened):
    async def scenario(runner, spawner, listener):
        runner.start("lc")
        runner.stop("lc")
        assert listener.events == [("ended", "lc", None, None, False)]
        listener.stopping = True
        runner.stop("gc")
        assert spawner.signals == [
            ("fork server", "SIGCONT"),
            ("gc", "SIGTERM"),
            ("gc", "SIGCONT"),
        ]

    opened(scenario)


def test_a_child_that_is_stopped_alone_does_not_end_the_run(opened):
    async def scenario(runner, spawner, listener):
        listener.stopping = False
        runner.stop("gc")
        assert spawner.signals == [("gc", "SIGTERM"), ("gc", "SIGCONT")]
        runner.lost("killed by signal 9", served=True)
        await asyncio.sleep(0.01)
        assert spawner.starts == 2

    opened(scenario)


def test_a_child_that_cannot_be_forked_ends_as_a_transient_failure(opened):
    async def scenario(runner, _spawner, listener):
        runner.not_started("lc", "Resource temporarily unavailable")
        reason = "cannot be started: Resource temporarily unavailable"
        assert listener.events == [("ended", "lc", EXIT_LATER, reason, False)]

    opened(scenario)


def test_a_fault_holds_its_controller_until_it_is_lifted(opened):
    async def scenario(runner, _spawner, listener):
        runner.operations["fault"]({"token": "t", "victim": "lc", "action": "kill", "seconds": 60})
        runner.ended("lc", -9)
        runner.operations["lift"]({"token": "t"})
        assert listener.events == [("ended", "lc", -9, None, True), ("requested", "lc")]
        assert runner.operations["fault_age"]({"token": "t"})["over"] is not None

    opened(scenario)


def test_a_lost_fork_server_is_replaced_until_it_ends_each_time(opened):
    async def scenario(runner, spawner, listener):
        for _ in range(MAX_FAILURES - 1):
            runner.lost("killed by signal 9", served=True)
            await asyncio.sleep(0.01)
        assert spawner.starts == MAX_FAILURES
        ready = StateNotice(controller_id="lc", state="ready", epoch=1)
        runner.received("lc", b'{"type":"state","controller_id":"lc","state":"ready","epoch":1}')
        assert listener.events == [ready]
        runner.lost("killed by signal 9", served=True)
        assert listener.events == [ready]
        runner.lost("no such luck", served=False)
        assert listener.events[1][0] == "failed"
        assert "no such luck" in listener.events[1][1]

    opened(scenario)


def test_a_fork_server_lost_while_stopping_is_not_replaced(opened):
    async def scenario(runner, spawner, listener):
        listener.stopping = True
        runner.stop("lc")
        runner.lost("killed by signal 9", served=True)
        await asyncio.sleep(0.01)
        assert (spawner.starts, listener.events) == (1, [])

    opened(scenario)


def test_stop_of_one_controller_leaves_the_faults_of_others_and_the_fork_server(opened):
    async def scenario(runner, spawner, listener):
        runner.started("lc", 7)
        runner.stop("lc")
        assert spawner.signals == [("lc", "SIGTERM"), ("lc", "SIGCONT")]
        runner.operations["fault"](
            {"token": "t", "victim": "gc", "action": "freeze", "seconds": 60}
        )
        runner.lost("killed by signal 9", served=True)
        await asyncio.sleep(0.01)
        assert spawner.starts == 2

    opened(scenario)
