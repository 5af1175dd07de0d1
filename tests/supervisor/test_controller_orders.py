"""Orders about single controllers, over the control socket of a run whose runner is a script."""

from __future__ import annotations

import asyncio

import pytest

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.runtime.child import EXIT_FAILED
from pdsno_cli.supervisor import controller_orders
from tests.supervisor.test_supervise import Run


@pytest.fixture
def play(tmp_path):
    """Return a function that plays a scenario once every controller is ready, then ends the run."""
    run = Run(tmp_path)
    run.error = None

    def start(scenario):
        async def act(listener):
            try:
                for name in listener.board.rows:
                    listener.noticed(StateNotice(controller_id=name, state="ready", epoch=1))
                await scenario(run, listener)
            except BaseException as exc:  # noqa: BLE001 - raised below, once the run has ended
                run.error = exc
            await run.ask(op="stop")  # its answer may come too late for this loop

        run.runner.acts = lambda listener: setattr(
            run, "task", asyncio.ensure_future(act(listener))
        )
        run.until_stopped()
        if run.error is not None:
            raise run.error

    return start


async def row(run, name):
    rows = (await run.ask(op="status"))["controllers"]
    return next(item for item in rows if item["id"] == name)


def test_a_stopped_controller_stays_away_and_is_no_failure_until_it_is_started(play):
    async def scenario(run, _listener):
        answer = await run.ask(op="stop_controller", id="lc")
        assert answer["state"] == "running"
        assert (await row(run, "lc"))["state"] == "stopped"
        assert (await row(run, "lc"))["health"] == "stopped"
        assert "pdsno start one lc" in (await row(run, "lc"))["reason"]
        assert run.runner.done.count("start lc") == 1
        answer = await run.ask(op="start_controller", id="lc")
        assert run.runner.done.count("start lc") == 2
        assert answer == {"state": "running", "epoch": 1, "pid": 100}  # this runner starts at once

    play(scenario)


def test_a_restarted_controller_is_stopped_first_and_not_counted(play):
    async def scenario(run, _listener):
        await run.ask(op="restart_controller", id="rc")
        async with asyncio.timeout(30):
            await run.runner.restarted.wait()
        assert run.runner.done[-2:] == ["stop rc", "start rc"]
        assert (await row(run, "rc"))["restarts"] == 0

    play(scenario)


def test_a_controller_that_was_given_up_can_be_started_and_the_run_then_ends_well(play):
    async def scenario(run, listener):
        listener.ended("lc", EXIT_FAILED)
        assert (await row(run, "lc"))["health"] == "failed"
        await run.ask(op="start_controller", id="lc")
        assert (await row(run, "lc"))["state"] == "starting"

    play(scenario)


def test_the_end_of_a_restart_delay_does_not_start_a_stopped_controller(play, monkeypatch):
    delay = 0.3
    monkeypatch.setattr("pdsno_cli.supervisor.child.restart_delay", lambda _failures: delay)

    async def scenario(run, listener):
        listener.ended("lc", 70)
        assert (await row(run, "lc"))["next_start_in"] is not None
        await run.ask(op="stop_controller", id="lc")
        await asyncio.sleep(2 * delay)  # nothing must happen: no event to wait for
        assert (await row(run, "lc"))["state"] == "stopped"

    play(scenario)


def test_a_controller_that_does_not_stop_is_killed(play, monkeypatch):
    monkeypatch.setattr(controller_orders, "PATIENCE", 0.02)

    async def scenario(run, _listener):
        run.runner.stuck.add("lc")
        killed, kill = asyncio.Event(), run.runner.kill
        run.runner.kill = lambda name: kill(name) and (killed.set() or True)
        await run.ask(op="stop_controller", id="lc")
        async with asyncio.timeout(30):
            await killed.wait()
        assert (await row(run, "lc"))["state"] == "stopped"
        assert "lc did not stop in 0.02 s: killed" in run.observer.events
        del run.runner.kill
        with pytest.raises(OperationError, match="did you mean 'lc'"):
            await run.ask(op="start_controller", id="lcc")

    play(scenario)
