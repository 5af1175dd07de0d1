"""Both runners run the same topology for the same supervisor."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor.in_process_runner import InProcessRunner
from pdsno_cli.supervisor.process_runner import ProcessRunner
from pdsno_cli.supervisor.runner import Runner, RunnerListener, broker_fallback
from pdsno_cli.supervisor.supervise import Supervisor
from tests.conftest import ONE_OF_EACH
from tests.supervisor.test_supervise import Observer

RUNNERS = (ProcessRunner, InProcessRunner)


@pytest.fixture
def parts(tmp_path):
    """A topology with a lab of one device, its state directory and its key."""
    file = tmp_path / "one.yaml"
    file.write_text(
        ONE_OF_EACH.replace("127.66.0.1]", "127.66.3.1], protocols: [icmp]")
        + "lab: {mode: loopback, devices: 1}\n"
    )
    topology, state = require(str(file)), StateDir(tmp_path / "state")
    state.make()
    return topology, state, signing_key(topology, state)


def run(parts, kind, *, ready=None, cycles=None):
    """Run the topology; call ``ready`` with the supervisor once every controller is ready."""

    async def supervise():
        topology, state, key = parts
        observer = Observer()
        runner = kind(topology, state, key, observer.on_message)
        supervisor = Supervisor(topology, state, observer, runner, cycles=cycles)
        if ready is not None:
            observer.on_ready = lambda _seconds: ready(supervisor)
        async with asyncio.timeout(60):
            await supervisor.run()
        return supervisor

    return asyncio.run(supervise())


@pytest.mark.parametrize("protocol", [Runner, RunnerListener])
def test_each_protocol_has_at_most_five_methods(protocol):
    methods = [name for name, item in vars(protocol).items()
               if inspect.isfunction(item) and not name.startswith("_")]  # fmt: skip
    assert 1 < len(methods) <= 5


@pytest.mark.parametrize("kind", RUNNERS)
def test_a_report_of_the_lab_reaches_the_top_and_every_controller_is_stopped(parts, kind):
    board = run(parts, kind, cycles=1).board
    assert board.rows["gc"].devices == 1
    assert {row.state for row in board.rows.values()} == {"stopped"}
    assert [row.restarts for row in board.rows.values()] == [0, 0, 0]


@pytest.mark.parametrize("kind", RUNNERS)
def test_a_controller_that_cannot_use_its_store_ends_the_run_with_its_name(parts, kind):
    _, state, _ = parts
    state.store("lc").write_bytes(b"not a database" * 1000)
    with pytest.raises(OperationError, match="lc: "):
        run(parts, kind)


@pytest.mark.parametrize(
    ("chain", "processes", "one_process"),
    [
        ("[mqtt, http, bus]", "http", "bus"),
        ("[mqtt, http]", "http", None),
        ("[mqtt, bus]", None, "bus"),
        ("[mqtt]", None, None),
    ],
)
def test_broker_fallback_is_the_transport_that_needs_no_broker(
    tmp_path, chain, processes, one_process
):
    file = tmp_path / "t.yaml"
    file.write_text(ONE_OF_EACH + f"fallbacks: {chain}\nbroker: {{host: 127.0.0.1}}\n")
    topology = require(str(file))
    assert broker_fallback(topology, within_process=False) == processes
    assert broker_fallback(topology, within_process=True) == one_process
