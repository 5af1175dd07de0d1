"""The exit code of a child, by what ended it."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import DiskError, StateError
from pdsno_cli.runtime import child
from pdsno_cli.runtime.child import EXIT_CRASHED, EXIT_FAILED, EXIT_LATER, Job, run_child
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.runtime.supervisor_pipe import decode_notice
from tests.conftest import ONE_OF_EACH


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "log_to_file", lambda *_, **__: None)
    file = tmp_path / "one.yaml"
    file.write_text(ONE_OF_EACH)
    return Job(
        topology=require(str(file)),
        state=StateDir(tmp_path / "state"),
        key=b"k" * 32,
        broker=None,
        sources={},
    )


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (StateError("the store is damaged"), EXIT_FAILED, "the store is damaged"),
        (DiskError("the disk is full"), EXIT_LATER, "the disk is full"),
        (ZeroDivisionError("a bug"), EXIT_CRASHED, None),
    ],
)
def test_exit_code_is_by_whether_a_restart_may_help(job, monkeypatch, error, code, detail):
    def run_controller(*_):
        raise error

    monkeypatch.setattr(child, "run_controller", run_controller)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert run_child(job, "lc", theirs) == code
        theirs.close()
        lines = ours.recv(4096).splitlines()
    details = [decode_notice(line).detail for line in lines]
    assert details == ([] if detail is None else [detail])


def test_a_log_that_cannot_be_written_is_transient(job, monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(child, "log_to_file", refuse)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert run_child(job, "lc", theirs) == EXIT_LATER
    assert "No space left" in capsys.readouterr().err


def test_garbage_is_collected_again_once_all_is_imported(tmp_path):
    (tmp_path / "one.yaml").write_text(ONE_OF_EACH)
    code = """
import gc, sys
from pathlib import Path
gc.disable()
from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.child import Job, import_all, preload
from pdsno_cli.runtime.state_dir import StateDir
job = Job(topology=require(sys.argv[1]), state=StateDir(Path(sys.argv[2])), key=b"k" * 32,
          broker=None, sources={})
import_all()
preload(job)
print(gc.isenabled(), gc.get_freeze_count() > 10_000, len(gc.get_objects()) < 10_000)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "one.yaml"), str(tmp_path / "state")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True True True\n", "")


def test_the_first_signal_stops_and_the_second_exits_with_130():
    code = """
import os, signal, time
from pdsno_cli.runtime.child import stop_on_signal
stop_on_signal(lambda: print("stopping", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(10)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (130, b"stopping\n")
