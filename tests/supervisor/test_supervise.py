"""The supervise loop, with a runner that does what the test says."""

from __future__ import annotations

import asyncio

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.notices import CommitNotice, StateNotice
from pdsno_cli.runtime.child import EXIT_CRASHED, EXIT_FAILED
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor import child as child_module
from pdsno_cli.supervisor.control import ask
from pdsno_cli.supervisor.report import BrokerStatus
from pdsno_cli.supervisor.supervise import Supervisor
from tests.conftest import ONE_OF_EACH


class Runner:
    """Implements ``runner.Runner``: children run until they are stopped."""

    broker = BrokerStatus(text="no broker")

    def __init__(self):
        self.done = []
        self.stuck = set()
        self.restarted = asyncio.Event()
        self.operations = {"twice": lambda request: {"answer": 2 * request["number"]}}
        self.acts = lambda _listener: None  # once every controller has started

    async def open(self, listener):
        self.listener = listener
        self.done.append("open")

    def start(self, name):
        self.done.append(f"start {name}")
        if self.done.count(f"start {name}") > 1:
            self.restarted.set()
        self.listener.started(name, 100)
        if len([line for line in self.done if line.startswith("start")]) == len(
            self.listener.board.rows
        ):
            asyncio.get_running_loop().call_soon(self.acts, self.listener)

    def stop(self, name):
        self.done.append(f"stop {name}")
        if name not in self.stuck:
            asyncio.get_running_loop().call_soon(self.listener.ended, name, 0)

    def kill(self, name=None):
        self.done.append(f"kill {name}")
        self.listener.ended(name, -9)
        return True

    async def close(self):
        self.done.append("close")


class Observer:
    def __init__(self):
        self.events = []

    def on_start(self, board, broker):
        self.events.append(broker)

    def on_notice(self, notice):
        pass

    def on_message(self, text):
        self.events.append(text)

    def on_ready(self, seconds):
        self.events.append("ready")


class Run:
    """One run in a state directory of its own."""

    def __init__(self, folder):
        file = folder / "one.yaml"
        file.write_text(ONE_OF_EACH)
        self.topology, self.state = require(str(file)), StateDir(folder / "state")
        self.state.make()
        self.runner, self.observer = Runner(), Observer()
        self.answer = None  # to a request of the test

    def until_stopped(self, cycles=None):
        async def run():
            supervisor = Supervisor(
                self.topology, self.state, self.observer, self.runner, cycles=cycles
            )
            async with asyncio.timeout(30):
                await supervisor.run()
            return supervisor

        return asyncio.run(run())

    async def ask(self, **request):
        return await asyncio.to_thread(ask, self.state.control, request)


@pytest.fixture
def run(tmp_path):
    """A run that stops over its control socket, unless the test has it do something else."""
    made = Run(tmp_path)

    def stop(_listener):
        made.task = asyncio.ensure_future(made.ask(op="stop"))

    made.runner.acts = stop
    return made


def by_role(run):
    """Return the ids: global, regional, local."""
    return list(Supervisor(run.topology, run.state, Observer(), Runner()).board.rows)


def test_run_starts_parents_first_and_stops_children_first(run):
    run.until_stopped()
    names = by_role(run)
    assert run.runner.done == [
        "open",
        *(f"start {name}" for name in names),
        *(f"stop {name}" for name in reversed(names)),
        "close",
    ]
    assert run.observer.events == ["no broker"]
    assert not run.state.control.exists()


def test_run_ends_once_its_cycles_are_committed_at_the_top(run):
    def commit(listener):
        top, _, local = listener.board.rows
        listener.noticed(StateNotice(controller_id=local, state="starting", epoch=7))
        listener.noticed(
            CommitNotice(
                controller_id=top, cycles={local: (7, 2)}, reports=2, duplicates=0, active=1
            )
        )

    run.runner.acts = commit
    assert run.until_stopped(cycles=2).board.committed_everywhere(2)


def test_ready_is_reported_once_when_every_controller_is(run):
    def become_ready(listener):
        for name in [*listener.board.rows, *listener.board.rows]:
            listener.noticed(StateNotice(controller_id=name, state="ready", epoch=1))
        run.task = asyncio.ensure_future(run.ask(op="stop"))

    run.runner.acts = become_ready
    run.until_stopped()
    assert run.observer.events == ["no broker", "ready"]


def test_a_crashed_child_is_started_again_after_a_delay(run, monkeypatch):
    monkeypatch.setattr(child_module, "restart_delay", lambda _failures: 0.01)

    def crash(listener):
        *_, local = listener.board.rows
        listener.ended(local, EXIT_CRASHED)

        async def stop_once_restarted():
            await run.runner.restarted.wait()
            run.answer = await run.ask(op="status")
            await run.ask(op="stop")

        run.task = asyncio.ensure_future(stop_once_restarted())

    run.runner.acts = crash
    run.until_stopped()
    *_, local = by_role(run)
    assert run.observer.events[1] == (
        f"{local} ended with exit code {EXIT_CRASHED}; starting it again in 0.0 s"
    )
    restarts = {row["id"]: row["restarts"] for row in run.answer["controllers"]}
    assert restarts[local] == 1


def test_a_held_child_stays_away_until_it_is_requested(run):
    def hold(listener):
        *_, local = listener.board.rows
        listener.ended(local, -9, held=True)
        assert run.runner.done.count(f"start {local}") == 1
        listener.requested(local)
        listener.requested(local)
        assert run.runner.done.count(f"start {local}") == 2
        run.task = asyncio.ensure_future(run.ask(op="stop"))

    run.runner.acts = hold
    run.until_stopped()
    assert "held by the injected fault" in run.observer.events[1]


def test_a_permanent_failure_at_start_ends_the_run_with_its_log(run):
    def fail(listener):
        *_, local = listener.board.rows
        run.state.log(local).write_text("first\nthe store is damaged\n")
        listener.ended(local, EXIT_FAILED)

    run.runner.acts = fail
    *_, local = by_role(run)
    with pytest.raises(OperationError, match=rf"{local}: ended with exit code 1(.|\n)*damaged"):
        run.until_stopped()
    assert run.runner.done[-1] == "close"


def test_a_run_that_cannot_go_on_raises_the_first_reason(run):
    def fail(listener):
        listener.failed("first")
        listener.failed("second")

    run.runner.acts = fail
    with pytest.raises(OperationError, match="first"):
        run.until_stopped()


def test_a_child_that_does_not_stop_is_killed(run, monkeypatch):
    monkeypatch.setattr("pdsno_cli.supervisor.shutdown.IDLE_LIMIT", 0.1)
    *_, local = by_role(run)
    run.runner.stuck.add(local)
    run.until_stopped()
    assert f"kill {local}" in run.runner.done
    assert f"{local} did not stop in time: killed" in run.observer.events


def test_requests_go_to_the_operations_of_the_runner(run):
    async def requests():
        try:
            run.answer = await run.ask(op="twice", number=21)
            with pytest.raises(OperationError, match="unknown request 'thrice'"):
                await run.ask(op="thrice")
        finally:
            await run.ask(op="stop")

    def act(_listener):
        run.task = asyncio.ensure_future(requests())

    run.runner.acts = act
    run.until_stopped()
    assert run.answer == {"answer": 42}
