"""The control socket, fed with what its user's scripts may send by mistake."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from pdsno_cli.model.errors import OperationError
from pdsno_cli.supervisor import control
from pdsno_cli.supervisor.control import ControlServer, ask

GARBAGE = {
    "deep": b"[" * 200_000 + b"\n",
    "long": b'{"op": "' + b"x" * 1_000_000 + b'"}\n',
    "longer than the buffer": b"x" * 9_000_000 + b"\n",
    "half a line": b'{"op": "sta',
    "empty": b"\n",
    "binary": bytes(range(256)) + b"\n",
    "a list": b"[]\n",
    "text": b'"op"\n',
    "null": b"null\n",
    "no op": b"{}\n",
    "wrong types": b'{"op": {"a": 1}}\n',
    "huge number": b'{"op": "sleep", "seconds": 1e999}\n',
}


async def answer(request):
    if request["op"] == "sleep":
        asyncio.get_running_loop().call_later(request["seconds"], print)
        raise OverflowError("beyond every clock")
    if request["op"] == "status":
        return {"fine": True}
    raise OperationError(f"unknown request {request['op']!r}")


def send(path, data, *, close) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(path))
        try:
            line.sendall(data)
            if close:
                line.shutdown(socket.SHUT_WR)
            got = b""
            while part := line.recv(65_536):
                got += part
        except ConnectionError:
            return b""
        return got


def served(path, work):
    """Run ``work`` in a thread beside a control server; nothing may reach the loop's handler."""
    failures = []

    async def run():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failures.append(context))
        server = ControlServer(path, answer)
        await server.start()
        try:
            return await asyncio.to_thread(work)
        finally:
            await server.close()

    result = asyncio.run(run())
    assert failures == []
    return result


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_answered_with_one_line_or_closed_and_the_next_request_served(tmp_path, name):
    path = tmp_path / "control.sock"

    def work():
        return send(path, GARBAGE[name], close=name == "half a line"), ask(path, {"op": "status"})

    got, after = served(path, work)
    assert after == {"fine": True}
    assert name == "longer than the buffer" or len(json.loads(got)["error"]) < 300
    assert got.count(b"\n") <= 1


def test_half_a_line_is_answered_with_an_error_after_the_timeout(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "_TIMEOUT", 0.05)
    path = tmp_path / "control.sock"
    got = served(path, lambda: send(path, b'{"op": "sta', close=False))
    assert "no request within" in json.loads(got)["error"]
