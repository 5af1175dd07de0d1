from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.run_record import read_record, recorded, topology_hash
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def topology(tmp_path):
    (tmp_path / "one.yaml").write_text(ONE_OF_EACH)
    return require(str(tmp_path / "one.yaml"))


@pytest.fixture
def state(tmp_path):
    state = StateDir(tmp_path / "state")
    state.make()
    return state


def test_record_of_a_run_has_an_end_only_once_it_has_ended(topology, state):
    with recorded(topology, state, in_process=True):
        record = read_record(state)
        assert (record.topology, record.file) == ("one", topology.path)
        assert (record.pid, record.in_process, record.ended_at) == (os.getpid(), True, None)
        assert record.pid_started
        assert state.run_record.stat().st_mode & 0o777 == 0o600
    assert read_record(state).ended_at >= record.started_at


def test_record_of_a_run_that_fails_has_an_end(topology, state):
    with pytest.raises(OSError, match="boom"), recorded(topology, state, in_process=False):
        raise OSError("boom")
    assert read_record(state).ended_at is not None


def test_a_draft_that_a_killed_run_left_behind_is_replaced(topology, state):
    state.run_record.with_suffix(".new").write_text("half")
    with recorded(topology, state, in_process=False):
        assert read_record(state) is not None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"topology": 7}'])
def test_a_damaged_record_is_none(state, text):
    state.run_record.write_text(text)
    assert read_record(state) is None


def test_hash_depends_on_what_the_file_means_alone(topology, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("# a comment\n" + ONE_OF_EACH)
    assert topology_hash(require(str(other))) == topology_hash(topology)
    assert topology_hash(replace(topology, fallbacks=("mqtt",))) != topology_hash(topology)
