"""The time that children have to stop."""

from __future__ import annotations

import asyncio
import time

import pytest

from pdsno_cli.supervisor import shutdown
from pdsno_cli.supervisor.child import Child, ChildState
from pdsno_cli.supervisor.shutdown import Shutdown


class Runner:
    """Ends children ``pause`` seconds after the one before; those that are ``stuck`` when killed."""

    def __init__(self, children, *, pause=0.0, stuck=()):
        self._children, self._pause, self._stuck = children, pause, stuck
        self._end = 0.0
        self.killed = []

    def stop(self, name):
        if name not in self._stuck:
            self._end += self._pause
            asyncio.get_running_loop().call_later(self._end, self._children[name].ended, 0)

    def kill(self, name):
        self.killed.append(name)
        self._children[name].ended(-9)
        return True


def stopped(tiers, **kwargs):
    """Stop running children; return them, the runner, what was announced and the seconds it took."""

    async def run():
        changes, announced = asyncio.Event(), []
        children = {name: Child(name, lambda _: changes.set()) for tier in tiers for name in tier}
        for child in children.values():
            child.requested()
            child.started(1)
        runner = Runner(children, **kwargs)
        began = time.monotonic()
        await Shutdown(
            children=children, runner=runner, changes=changes, announce=announced.append
        ).run([*tiers, ["never started"]])
        return children, runner, announced, time.monotonic() - began

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(shutdown, "IDLE_LIMIT", 0.4)
    monkeypatch.setattr(shutdown, "_LEAST", 0.1)


def test_children_that_keep_ending_have_more_time_than_the_limit():
    children, runner, _, seconds = stopped([[f"lc{n}" for n in range(12)]], pause=0.05)
    assert seconds >= 0.6
    assert runner.killed == []
    assert {child.state for child in children.values()} == {ChildState.STOPPED}


def test_a_stuck_child_of_each_tier_is_killed_and_announced():
    children, runner, announced, _ = stopped([["lc1", "lc2"], ["rc"]], stuck=("lc1", "rc"))
    assert runner.killed == ["lc1", "rc"]
    assert announced == [
        "lc1 did not stop in time: killed",
        "rc did not stop in time: killed",
    ]
    assert not any(child.alive for child in children.values())
