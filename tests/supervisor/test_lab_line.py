from __future__ import annotations

import asyncio
import json

import pytest

from pdsno_cli.model.errors import LabError
from pdsno_cli.supervisor.lab_line import LabLine


class Wire:
    """The line to a lab that answers when the test says so."""

    def __init__(self):
        self.told = []

    def tell(self, name, line):
        self.told.append(json.loads(line))


async def opened(wire):
    line = LabLine(wire)
    waiting = asyncio.ensure_future(line.ready())
    await asyncio.sleep(0)
    line.hear(b'{"ready": true}')
    await waiting
    return line


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one():
    async def scenario():
        wire = Wire()
        line = await opened(wire)
        lost = asyncio.ensure_future(line.ask({"change": "first"}))
        await asyncio.sleep(0)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        second = asyncio.ensure_future(line.ask({"change": "second"}))
        await asyncio.sleep(0)
        for request in wire.told:
            answer = {"done": request["change"], "number": request["number"]}
            line.hear(json.dumps(answer).encode())
        return await second

    assert asyncio.run(scenario()) == {"done": "second"}


def test_a_lab_that_cannot_start_says_why():
    async def scenario():
        line = LabLine(Wire())
        waiting = asyncio.ensure_future(line.ready())
        await asyncio.sleep(0)
        line.hear(b'{"error": "UDP 127.0.0.1 port 161 is in use"}')
        await waiting

    with pytest.raises(LabError, match="is in use"):
        asyncio.run(scenario())
