"""A controller without a supervisor; one that runs is in tests/e2e."""

from __future__ import annotations

import gc

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import BrokerError, StateError
from pdsno_cli.runtime import standalone
from pdsno_cli.runtime.standalone import run_standalone
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A topology and its state directory; the garbage collector is as before afterwards."""
    thresholds = gc.get_threshold()
    monkeypatch.setattr(standalone, "log_to_stderr", lambda: None)
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH)
    yield require(str(file)), StateDir(tmp_path / "state")
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_an_embedded_broker_that_does_not_run_is_an_error(parts):
    with pytest.raises(BrokerError, match=r"start pdsno up, or declare an external broker"):
        run_standalone(*parts, "lc", 0)


def test_it_holds_the_lock_of_its_controller_and_returns_the_reason_of_its_failure(
    parts, monkeypatch
):
    topology, state = parts

    class Node:
        fatal = "the clock went back"

        def __init__(self, job, controller_id, _watcher):
            self.made = controller_id, job.broker.addresses[0].port

        def run(self):
            assert self.made == ("lc", 1883)
            with pytest.raises(StateError, match="already running"), state.lock("lc"):
                pass

        def stop(self):
            pass

    monkeypatch.setattr(standalone, "make_node", Node)
    monkeypatch.setattr(standalone, "stop_on_signal", lambda _stop: None)
    assert run_standalone(topology, state, "lc", 1883) == "the clock went back"
