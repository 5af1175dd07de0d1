"""What only the in-process runner does: requests, and threads that cannot be killed."""

from __future__ import annotations

import asyncio

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import OperationError
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.supervisor.in_process_runner import InProcessRunner
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def runner(tmp_path):
    """A runner of a topology with an embedded broker, not opened."""
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH)

    async def make():
        state = StateDir(tmp_path / "state")
        return InProcessRunner(require(str(file)), state, b"k" * 32, lambda _: None)

    return asyncio.run(make())


def test_the_bus_takes_the_place_of_an_embedded_broker(runner):
    assert (runner.broker.text, runner.broker.port, runner.broker.state) == (
        "in-process bus",
        0,
        None,
    )


def test_a_fault_is_refused_with_what_to_do(runner):
    with pytest.raises(OperationError, match="start the topology without --in-process"):
        runner.operations["fault"]({"victim": None})


def test_a_lab_that_is_not_declared_refuses_changes(runner):
    with pytest.raises(OperationError, match="no lab"):
        runner.operations["lab"]({"change": "remove", "address": "127.0.0.1"})


def test_a_single_controller_cannot_be_killed(runner):
    assert not runner.kill("lc")
