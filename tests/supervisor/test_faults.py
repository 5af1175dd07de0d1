from __future__ import annotations

import asyncio
import signal

import pytest

from pdsno_cli.model.errors import OperationError
from pdsno_cli.supervisor.faults import Faults


class Broker:
    embedded = True

    def __init__(self):
        self.did = []

    def signal(self, number):
        self.did.append(number)
        return True

    def suspend_restart(self):
        self.did.append("suspend_restart")

    def resume_restart(self):
        self.did.append("resume_restart")


class Spawner:
    def __init__(self):
        self.did = []
        self.there = True

    def signal(self, name, number):
        self.did.append((name, number))
        return self.there


class Partition:
    def __init__(self):
        self.did = []
        self.refusal = None

    def cut(self, name):
        if self.refusal:
            raise OperationError(self.refusal)
        self.did.append(("cut", name))

    def mend(self, name):
        self.did.append(("mend", name))


class Stage:
    def __init__(self):
        self.broker, self.spawner, self.partition = Broker(), Spawner(), Partition()
        self.restarted = []
        self._over = asyncio.Event()
        self.state = "restarting"
        self.faults = Faults(
            state_of=lambda _name: self.state,
            controllers=["lc1", "lc2"],
            broker=self.broker,
            spawner=self.spawner,
            partition=self.partition,
            restart=self.restarted.append,
            announce=self._announce,
        )

    def _announce(self, text):
        if text.endswith("is over"):
            self._over.set()

    async def over(self, token):
        """Wait until the fault is over by itself; return after how many seconds it was."""
        assert self.faults.age(token)["over"] is None
        async with asyncio.timeout(30):
            await self._over.wait()
        return self.faults.age(token)["over"]

    def begin(self, token, victim, action, seconds):
        return self.faults.begin(
            {"token": token, "victim": victim, "action": action, "seconds": seconds}
        )


def played(play):
    """Run a play on a stage within an event loop."""

    async def run():
        stage = Stage()
        await play(stage)
        return stage

    return asyncio.run(run())


def test_freeze_is_lifted_by_itself_when_its_time_is_over():
    async def play(stage):
        stage.begin("t", "lc1", "freeze", 0.02)
        assert await stage.over("t") >= 0.02

    stage = played(play)
    assert stage.spawner.did == [("lc1", signal.SIGSTOP), ("lc1", signal.SIGCONT)]


def test_drop_cuts_the_link_alone_and_is_lifted_by_itself_when_its_time_is_over():
    async def play(stage):
        stage.begin("t", "lc1", "drop", 0.02)
        assert stage.partition.did == [("cut", "lc1")]
        assert await stage.over("t") >= 0.02

    stage = played(play)
    assert stage.partition.did == [("cut", "lc1"), ("mend", "lc1")]
    assert stage.spawner.did == stage.broker.did == []


def test_drop_goes_on_when_its_controller_ends_which_is_started_again():
    async def play(stage):
        stage.begin("t", "lc1", "drop", 60)
        assert not stage.faults.ended("lc1")
        assert stage.faults.age("t")["over"] is None
        assert stage.partition.did == [("cut", "lc1")]
        stage.faults.lift("t")
        stage.faults.lift("t")

    stage = played(play)
    assert stage.partition.did == [("cut", "lc1"), ("mend", "lc1")]
    assert stage.restarted == []


def test_impossible_drop_is_refused_and_not_recorded():
    async def play(stage):
        stage.partition.refusal = "no link"
        with pytest.raises(OperationError, match="no link"):
            stage.begin("t", "lc1", "drop", 60)
        with pytest.raises(OperationError, match="no such fault"):
            stage.faults.age("t")
        stage.begin("t", "lc1", "freeze", 60)
        stage.faults.close()

    assert played(play).partition.did == []


def test_no_fault_begins_once_all_are_lifted_for_the_end():
    async def play(stage):
        stage.begin("a", "lc1", "drop", 60)
        stage.faults.close()
        with pytest.raises(OperationError, match="going down"):
            stage.begin("b", "lc1", "drop", 60)

    assert played(play).partition.did == [("cut", "lc1"), ("mend", "lc1")]


def test_kill_of_the_broker_suspends_its_restart_until_lifted():
    async def play(stage):
        stage.begin("t", None, "kill", 60)
        assert stage.broker.did == [signal.SIGKILL, "suspend_restart"]
        stage.faults.lift("t")
        stage.faults.lift("t")

    assert played(play).broker.did == [signal.SIGKILL, "suspend_restart", "resume_restart"]


def test_kill_of_a_controller_is_over_with_its_end_or_holds_its_restart():
    async def play(stage):
        stage.begin("a", "lc1", "kill", 0)
        assert stage.faults.age("a")["over"] is None
        assert not stage.faults.ended("lc1")
        assert stage.faults.age("a")["over"] is not None
        stage.begin("b", "lc2", "kill", 60)
        assert stage.faults.ended("lc2")
        assert stage.restarted == []
        stage.faults.lift("b")

    assert played(play).restarted == ["lc2"]


def test_frozen_controller_that_ends_is_not_held():
    async def play(stage):
        stage.begin("t", "lc1", "freeze", 60)
        assert not stage.faults.ended("lc1")
        assert stage.faults.age("t")["over"] is not None

    assert played(play).restarted == []


def test_second_fault_of_the_same_victim_is_refused_and_of_another_is_not():
    async def play(stage):
        stage.begin("a", "lc1", "freeze", 60)
        with pytest.raises(OperationError, match="lc1 has a fault already"):
            stage.begin("b", "lc1", "kill", 0)
        with pytest.raises(OperationError, match="lc1 has a fault already"):
            stage.begin("b", "lc1", "drop", 60)
        stage.begin("c", None, "freeze", 60)
        stage.begin("d", "lc2", "freeze", 60)
        stage.faults.lift("a")
        stage.begin("e", "lc1", "freeze", 60)
        stage.faults.close()

    played(play)


def test_impossible_fault_is_refused():
    async def play(stage):
        with pytest.raises(OperationError, match="no controller 'lc3'"):
            stage.begin("a", "lc3", "kill", 0)
        with pytest.raises(OperationError, match="unknown fault"):
            stage.begin("a", "lc1", "freeze", 0)
        with pytest.raises(OperationError, match="unknown fault"):
            stage.begin("a", "lc1", "drop", 0)
        with pytest.raises(OperationError, match="drop needs a controller"):
            stage.begin("a", None, "drop", 1)
        stage.spawner.there = False
        with pytest.raises(OperationError, match="no process"):
            stage.begin("a", "lc1", "freeze", 1)
        stage.broker.embedded = False
        with pytest.raises(OperationError, match="an embedded broker only"):
            stage.begin("a", None, "kill", 0)
        with pytest.raises(OperationError, match="no such fault"):
            stage.faults.age("a")

    played(play)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("stopped", "lc1 is stopped: start it with pdsno start lc1"),
        ("failed", "lc1 was given up: .* pdsno start lc1"),
        ("restarting", "it is restarting: wait with pdsno wait --for ready"),
    ],
)
def test_a_controller_without_a_process_is_refused_with_what_to_do(state, told):
    async def play(stage):
        stage.spawner.there = False
        stage.state = state
        with pytest.raises(OperationError, match=told):
            stage.begin("t", "lc1", "kill", 0)

    played(play)
