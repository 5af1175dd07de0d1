"""Requests to the lab's process, and its readiness."""

from __future__ import annotations

import asyncio
import json

import pytest

from pdsno_cli.model.errors import LabError
from pdsno_cli.supervisor import lab_line
from pdsno_cli.supervisor.lab_line import LabLine


class Lab:
    """A lab's line; the test writes the answers."""

    def __init__(self):
        self.requests = []
        self.events = []
        self.line = LabLine(
            lambda _name, line: self.requests.append(json.loads(line)),
            ready=lambda: self.events.append("ready"),
            failed=self.events.append,
        )


def test_an_answer_after_its_timeout_does_not_answer_the_next_request():
    async def scenario():
        lab = Lab()
        lost = asyncio.ensure_future(lab.line.ask({"change": "first"}))
        await asyncio.sleep(0)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)
        second = asyncio.ensure_future(lab.line.ask({"change": "second"}))
        await asyncio.sleep(0)
        for request in lab.requests:
            answer = {"done": request["change"], "number": request["number"]}
            lab.line.receive(json.dumps(answer).encode())
        return await second

    assert asyncio.run(scenario()) == {"done": "second"}


def test_a_request_without_an_answer_is_an_error(monkeypatch):
    monkeypatch.setattr(lab_line, "_TIMEOUT", 0.01)
    with pytest.raises(LabError, match="did not answer within"):
        asyncio.run(Lab().line.ask({"change": "first"}))


def test_a_lab_that_cannot_start_fails_with_its_reason():
    lab = Lab()
    lab.line.receive(b'{"error": "UDP 127.0.0.1 port 161 is in use"}')
    assert lab.events == ["UDP 127.0.0.1 port 161 is in use"]


def test_a_lab_that_is_restarted_is_reported_ready_once():
    lab = Lab()
    lab.line.receive(b'{"ready": true}')
    lab.line.receive(b'{"ready": true}')
    lab.line.receive(b'{"error": "port in use"}')
    assert lab.events == ["ready"]
