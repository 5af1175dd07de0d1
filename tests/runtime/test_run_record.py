"""The record of a run: written whole, private, with an end only where there was one."""

from __future__ import annotations

import os
from dataclasses import replace

import msgspec
import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.run_record import (
    applied,
    differs,
    new_record,
    read_record,
    recorded,
    write_record,
)
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.spec.resolved import normal, resolve_secrets
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def state(tmp_path):
    state = StateDir(tmp_path / "state")
    state.make()
    return state


@pytest.fixture
def topology(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH.replace("127.66.0.1]", "127.66.0.1], snmp: {community: '${C:-x}'}"))
    return require(str(file))


@pytest.fixture
def record(topology):
    return new_record(resolve_secrets(normal(topology), b"salt"), b"salt", in_process=False)


def test_a_file_differs_by_what_it_declares_and_by_its_secrets(record, topology, monkeypatch):
    assert not differs(record, topology)
    assert differs(record, replace(topology, description="other"))
    monkeypatch.setenv("C", "y")
    assert differs(record, topology)
    now = applied(record, resolve_secrets(normal(topology), b"salt"))
    assert not differs(now, topology)
    assert now.controllers.keys() == {"gc", "rc", "lc"}


def test_what_is_written_is_read_and_is_private(state, record):
    write_record(state, record)
    assert read_record(state) == record
    assert record.pid == os.getpid()
    assert record.pid_started
    assert state.run_record.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.root.glob("run.*")] == ["run.json"]


def test_record_has_an_end_only_once_the_run_has_ended(state, record):
    with recorded(state):
        write_record(state, record)
        assert read_record(state).ended_at is None
    assert read_record(state).ended_at >= record.started_at


def test_record_of_a_run_that_fails_has_an_end(state, record):
    write_record(state, record)
    with pytest.raises(OSError, match="boom"), recorded(state):
        raise OSError("boom")
    assert read_record(state).ended_at is not None


def test_record_of_another_process_is_left_alone(state, record):
    other = msgspec.structs.replace(record, pid=record.pid + 1)
    write_record(state, other)
    with recorded(state):
        pass  # it failed before it began
    assert read_record(state) == other


def test_a_draft_that_a_killed_run_left_behind_is_replaced(state, record):
    state.run_record.with_suffix(".new").write_text("half")
    write_record(state, record)
    assert read_record(state) == record


@pytest.mark.parametrize("text", ["", "{", '{"format_version": 1}', '{"topology": 7}', "[1]"])
def test_a_damaged_record_is_none(state, text):
    assert read_record(state) is None
    state.run_record.write_text(text)
    assert read_record(state) is None


def test_forget_removes_what_is_kept_of_one_controller_and_nothing_else(state):
    for name in ("lc1", "lc1.x", "lc10"):
        for path in (
            state.store(name),
            state.store(name).with_name(f"{name}.db-wal"),
            state.store(name).with_suffix(".lock"),
            state.http(name),
            state.log(name),
            state.log(name).with_name(f"{name}.log.1"),
        ):
            path.write_text("x")
    state.forget("lc1")
    left = {path.name.split(".")[0] for path in state.root.rglob("*") if path.is_file()}
    assert left == {"lc1", "lc10"}
    assert not [*state.root.rglob("lc1.db*"), *state.root.rglob("lc1.log*")]
    assert len([*state.root.rglob("lc1.x*")]) == 6
