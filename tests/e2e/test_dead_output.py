"""A run whose output has no reader any more, and signals that it was started to ignore."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from contextlib import contextmanager

import pytest

from .conftest import PDSNO, until


@contextmanager
def running(site, **options):
    """Run the site with the output given; kill what is left of it."""
    command = [PDSNO, "up", str(site.file), "--state-dir", str(site.state)]
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def answers(site) -> bool:
    done = site.ask("status", str(site.file), "--json")
    return done.returncode in (0, 1) and site.status()["ready"]


def replaced(site, name: str) -> None:
    """Kill a controller, and wait until another process of it is ready."""
    old = site.row(name)["pid"]
    os.kill(old, signal.SIGKILL)

    def back():
        row = site.row(name)
        return row["state"] == "ready" and row["pid"] != old

    until(back, "another process being ready")


def test_output_piped_to_head_is_only_silence(site):
    site.write()
    with running(site, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for _ in range(3):
            process.stdout.readline()
        process.stdout.close()
        until(lambda: answers(site), "the run being ready")
        replaced(site, "lc1")
        process.terminate()
        assert process.wait(30) == 0
    assert site.ask("status", str(site.file)).returncode == 2


def test_terminal_that_closes_does_not_end_the_run(site):
    site.write()
    master, slave = pty.openpty()
    with running(site, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        until(lambda: answers(site), "the run being ready")
        os.close(master)
        replaced(site, "lc1")
        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 0
    assert site.ask("status", str(site.file)).returncode == 2


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT], ids=["nohup", "background"])
@pytest.mark.parametrize("arguments", [(), ("--in-process",)], ids=["processes", "in process"])
def test_signal_that_was_ignored_at_the_start_stays_ignored(site, number, arguments):
    site.write()
    run = site.up(
        *arguments,
        prefix=("sh", "-c", f"trap '' {number.name.removeprefix('SIG')}; exec \"$@\"", "sh"),
    ).ready()
    before = [(row["pid"], row["restarts"]) for row in site.status()["controllers"]]
    os.killpg(run.process.pid, number)  # as a terminal does: to every process of the run
    replaced(site, "lc1") if not arguments else None
    rows = site.status()["controllers"]
    assert [row["pid"] for row in rows if row["id"] != "lc1"] == [
        pid for (pid, _), row in zip(before, rows, strict=True) if row["id"] != "lc1"
    ]
    run.process.terminate()
    assert run.end() == 0, run.lines
