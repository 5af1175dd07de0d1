"""How a command finds a running topology; what it does there is in tests/e2e."""

from __future__ import annotations

import pytest

from pdsno_cli.client.session import monitor_session, operator_session
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import BrokerError, UsageError
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH

SESSIONS = (operator_session, monitor_session)


def connect(session, tmp_path, extra=""):
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH + extra)
    with session(require(str(file)), StateDir(tmp_path / "state"), (), lambda _: None):
        pytest.fail("there is nothing to connect to")


@pytest.mark.parametrize("session", SESSIONS)
def test_a_topology_with_an_embedded_broker_that_does_not_run_is_not_up(session, tmp_path):
    with pytest.raises(UsageError, match="not up"):
        connect(session, tmp_path)


@pytest.mark.parametrize("session", SESSIONS)
def test_without_a_key_nothing_is_connected(session, tmp_path, free_port):
    with pytest.raises(UsageError, match="no signing key"):
        connect(session, tmp_path, f"broker: {{host: 127.0.0.1, port: {free_port}}}\n")


def test_a_declared_broker_out_of_reach_is_an_error(tmp_path, free_port, monkeypatch):
    monkeypatch.setattr("pdsno_cli.client.operator._TIMEOUT", 0.5)
    monkeypatch.setenv("KEY", "k" * 32)
    extra = f"broker: {{host: 127.0.0.1, port: {free_port}}}\nsigning_key: ${{KEY}}\n"
    with pytest.raises(BrokerError, match=str(free_port)):
        connect(operator_session, tmp_path, extra)
