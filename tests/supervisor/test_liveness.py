from __future__ import annotations

import asyncio

from pdsno_cli.supervisor.liveness import DEAD, START, Liveness


class Watched:
    """A process that answers its first ``answers`` pings."""

    def __init__(self, answers):
        self.answers = answers
        self.pings = self.wakes = 0
        self.dead = asyncio.Event()
        self.liveness = Liveness(ping=self.ping, wake=self.wake, dead=self.dead.set, tick=0.001)

    def ping(self):
        self.pings += 1
        if self.pings <= self.answers:
            self.liveness.alive()

    def wake(self):
        self.wakes += 1


async def die(answers, *, served):
    watched = Watched(answers)
    if served:
        watched.liveness.alive()
    async with asyncio.timeout(30):
        await watched.dead.wait()
    return watched


def test_silent_after_answers_is_woken_then_dead():
    watched = asyncio.run(die(20, served=True))
    assert watched.pings == 20 + DEAD
    assert watched.wakes > 0


def test_a_server_that_never_answered_has_more_time_and_is_not_pinged():
    watched = asyncio.run(die(0, served=False))
    assert watched.pings == 0
    assert watched.wakes > DEAD
    assert watched.wakes < START


def test_close_ends_the_pings():
    async def run():
        watched = Watched(0)
        watched.liveness.alive()
        watched.liveness.close()
        await asyncio.sleep(0.02)
        return watched.pings

    assert asyncio.run(run()) == 0
