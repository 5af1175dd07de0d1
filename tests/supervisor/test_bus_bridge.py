"""The way onto the in-process bus through a control socket, as a broker of another kind."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pdsno_cli.messaging.bus import Bus, BusTransport
from pdsno_cli.model.errors import UsageError
from pdsno_cli.supervisor.bus_bridge import BusBridgeTransport, bridge
from pdsno_cli.supervisor.control import ControlServer
from tests.messaging.recorder import Recorder


class Served:
    """A bus behind a control socket, on a loop and a thread of its own."""

    def __init__(self, path) -> None:
        self.path = path
        self.bus = Bus()
        self._loop = asyncio.new_event_loop()
        self._server = ControlServer(path, self._answer)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._run(self._server.start())

    async def _answer(self, request):
        return bridge(self.bus, tuple(request["filters"]))

    def _run(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        self._run(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path / "control.sock")
    yield made
    made.close()


@pytest.fixture
def insider(served):
    transport = BusTransport(served.bus, "insider", ("#",))
    recorder = Recorder()
    transport.start(recorder)
    recorder.wait_up()
    yield transport, recorder
    transport.stop()


def join(served, *filters: str):
    transport, recorder = BusBridgeTransport(served.path, filters), Recorder()
    transport.start(recorder)
    recorder.wait_up()
    return transport, recorder


def test_messages_go_both_ways_byte_for_byte(served, insider):
    inside, heard = insider
    inside.publish("a/kept", b"old", qos=1, retain=True)
    heard.wait_messages(1)
    outside, recorder = join(served, "a/+")
    recorder.wait_messages(1)
    inside.publish("a/1", b"\xff\x00", qos=1, retain=False)
    inside.publish("b/1", b"not for it", qos=1, retain=False)
    recorder.wait_messages(2)
    assert recorder.messages == [("a/kept", b"old", True), ("a/1", b"\xff\x00", False)]
    assert outside.publish("c", bytes(range(256)), qos=1, retain=False)
    heard.wait(lambda r: bytes(range(256)) in r.data)
    outside.stop()
    assert not outside.publish("c", b"late", qos=1, retain=False)
    assert recorder.ends == []


def test_two_join_beside_each_other(served, insider):
    inside, _ = insider
    one, first = join(served, "a")
    two, second = join(served, "a")
    one.stop()
    inside.publish("a", b"x", qos=1, retain=False)
    second.wait_messages(1)
    assert first.messages == []
    two.stop()


def test_an_invalid_topic_ends_the_connection_with_an_error(served):
    outside, recorder = join(served, "a")
    outside.publish("a/#", b"x", qos=1, retain=False)
    recorder.wait(lambda r: r.ends)
    assert "not a message" in recorder.ends[0]
    outside.stop()


def test_the_end_of_the_topology_is_fatal(tmp_path):
    served = Served(tmp_path / "control.sock")
    outside, recorder = join(served, "a")
    served.close()
    recorder.wait(lambda r: r.ends)
    assert recorder.ends == ["the topology went down"]
    assert not outside.publish("a", b"x", qos=1, retain=False)
    outside.stop()


def test_start_without_a_topology_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="is not up"):
        BusBridgeTransport(tmp_path / "control.sock", ()).start(Recorder())
