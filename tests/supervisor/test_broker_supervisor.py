"""The embedded broker as a process: restarts, faults, probes."""

from __future__ import annotations

import asyncio
import re
import signal

import pytest

from pdsno_cli.broker.probe import probe
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import UnreachableError
from pdsno_cli.supervisor import broker_supervisor
from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def supervised(tmp_path, monkeypatch):
    """Return a function that runs a scenario with a broker supervisor and its announcements."""
    monkeypatch.setattr(broker_supervisor, "restart_delay", lambda _failures: 0.05)
    monkeypatch.setattr(broker_supervisor, "_PROBE_INTERVAL", 0.1)
    monkeypatch.setattr(broker_supervisor, "_PROBE_TIMEOUT", 0.5)

    def run(scenario, extra="", **kwargs):
        file = tmp_path / "one.yaml"
        file.write_text(ONE_OF_EACH + extra)

        async def play():
            announced = []
            broker = BrokerSupervisor(require(str(file)), b"k" * 32, announced.append, **kwargs)
            try:
                async with asyncio.timeout(60):
                    await scenario(broker, announced)
            finally:
                await broker.stop()

        asyncio.run(play())

    return run


async def answers(broker, process=None):
    """Wait until the broker runs, as another process than ``process``, and accepts clients."""
    while broker._embedded.process in (None, process) or not broker.state.up:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.02)
    await asyncio.to_thread(probe, *broker.access.addresses[0], protocol="3.1.1")


def test_a_killed_broker_is_restarted_on_the_same_port(supervised):
    async def scenario(broker, announced):
        await broker.start()
        before, port = broker._embedded.process, broker.access.addresses[0].port
        assert broker.signal(signal.SIGKILL)
        await answers(broker, before)
        assert broker.access.addresses[0].port == port
        other = broker.endpoint.port_5
        assert broker.text == f"embedded broker on 127.0.0.1:{port} (v5: {other})"
        assert announced == [
            "the broker ended with exit code -9",
            "restarting the broker in 0.1 s",
        ]

    supervised(scenario)


def test_a_suspended_restart_waits_until_it_is_resumed(supervised):
    async def scenario(broker, announced):
        await broker.start()
        before = broker._embedded.process
        broker.suspend_restart()
        broker.signal(signal.SIGKILL)
        while broker.state.up:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert broker._embedded.process in (None, before)
        assert announced == ["the broker ended with exit code -9"]
        broker.resume_restart()
        await answers(broker, before)

    supervised(scenario)


def test_a_broker_that_accepts_no_client_is_killed_and_restarted(supervised):
    async def scenario(broker, announced):
        broker.all_connected = lambda: False
        await broker.start()
        before = broker._embedded.process
        before.send_signal(signal.SIGSTOP)  # not by an injected fault
        await answers(broker, before)
        assert re.search("killing the broker, which accepts no client", announced[0])

    supervised(scenario)


def test_a_frozen_broker_is_left_alone(supervised):
    async def scenario(broker, announced):
        broker.all_connected = lambda: False
        await broker.start()
        broker.signal(signal.SIGSTOP)
        await asyncio.sleep(1)
        assert announced == []
        broker.signal(signal.SIGCONT)
        await answers(broker)

    supervised(scenario)


def test_a_declared_broker_out_of_reach_is_an_error_without_a_fallback(supervised, free_port):
    async def scenario(broker, announced):
        assert not broker.embedded
        assert not broker.signal(signal.SIGKILL)
        with pytest.raises(UnreachableError, match=str(free_port)):
            await broker.start()
        assert announced == []

    supervised(scenario, f"broker: {{host: 127.0.0.1, port: {free_port}}}\n")


def test_a_declared_broker_out_of_reach_is_announced_with_its_fallback(supervised, free_port):
    async def scenario(broker, announced):
        await broker.start()
        assert announced[0].endswith("going on over http")
        assert broker.state is None

    extra = f"broker: {{host: 127.0.0.1, port: {free_port}}}\n"
    supervised(scenario, extra, fallback="http")
