"""Processes of a run that are frozen or dead: seen, replaced, and never left over."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

import pytest

from .conftest import until

PYTHON_THAT_CANNOT_FORK = """\
import os, sys
if any("forkserver" in word for word in sys.orig_argv):
    os.write(2, b"no such luck\\n")
    os._exit(1)
"""


PTRACE_ATTACH = 16  # sys/ptrace.h
WALL = 0x40000000  # __WALL of waitpid(2)


def hold(pid: int) -> None:
    """Stop a process as a debugger does: no signal but SIGKILL lets it go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    if libc.ptrace(PTRACE_ATTACH, pid, 0, 0) != 0:
        pytest.skip(f"may not trace: {os.strerror(ctypes.get_errno())}")
    os.waitpid(pid, WALL)


def fork_server(run) -> int:
    words = [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in run.members()]
    return next(pid for pid, line in words if b"fork server" in line)


def lab(site, run) -> int:
    """Return the lab's process: the one child of the fork server that is not a controller."""
    controllers = {row["pid"] for row in site.status()["controllers"]}
    server = str(fork_server(run)).encode()
    for pid in run.members():
        stat = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
        if stat[1] == server and pid not in controllers:
            return pid
    raise AssertionError("no lab")


def test_controller_that_dies_while_the_fork_server_is_frozen_is_started_again(site):
    site.write()
    run = site.up().ready()
    before = {row["id"]: row["pid"] for row in site.status()["controllers"]}
    os.kill(fork_server(run), signal.SIGSTOP)
    os.kill(before["lc1"], signal.SIGKILL)
    run.wait_line(r"lc1 was killed by signal 9; starting it again")

    def back():
        row = site.row("lc1")
        return row["state"] == "ready" and row["pid"] != before["lc1"]

    until(back, "the controller being ready again")
    assert site.row("lc2")["pid"] == before["lc2"]  # no other controller was touched


def test_fork_server_that_stays_stuck_is_replaced(site):
    site.write()
    run = site.up().ready()
    before = {row["pid"] for row in site.status()["controllers"]}
    stuck = fork_server(run)
    hold(stuck)

    def replaced():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(stuck, os.WNOHANG | WALL)  # only then its parent gets SIGCHLD
        return any("the fork server is gone (it did not answer)" in line for line in run.lines)

    until(replaced, "the fork server being given up")

    def all_back():
        rows = site.status()["controllers"]
        return all(row["state"] == "ready" and row["pid"] not in before for row in rows)

    until(all_back, "every controller being ready again")


def test_fork_server_killed_while_it_starts_many_starts_each_once(site):
    site.write()
    targets = f"{{split: {site.net}.128/25, into: 31}}"
    many = f"  lc[10:49]: {{role: local, region: r1, discovery: {{targets: {targets}}}}}\n"
    site.file.write_text(site.file.read_text().replace("  lc1:", many + "  lc1:"))
    run = site.up()
    until(lambda: len(list((site.state / "logs").glob("lc*.log"))) > 5, "the first of them")
    os.kill(fork_server(run), signal.SIGKILL)
    run.wait_line("the fork server is gone")
    run.ready()
    assert len(run.members()) == 44 + 4  # supervisor, broker, fork server and lab
    texts = [path.read_text() for path in (site.state / "logs").iterdir()]
    assert not [text for text in texts if "already running" in text]


def test_supervisor_killed_while_the_fork_server_is_frozen_leaves_nothing(site):
    site.write()
    run = site.up().ready()
    os.kill(fork_server(run), signal.SIGSTOP)
    os.kill(site.row("lc2")["pid"], signal.SIGSTOP)
    run.process.kill()
    run.end()
    until(lambda: not run.members(), "the end of every process")


def test_children_end_with_their_supervisor_though_the_fork_server_is_stuck(site):
    site.write()
    run = site.up().ready()
    stuck = fork_server(run)
    hold(stuck)
    run.process.kill()
    run.end()
    until(lambda: run.members() == [stuck], "the end of every other process")
    os.kill(stuck, signal.SIGKILL)
    os.waitpid(stuck, WALL)


def test_down_ends_everything_though_all_of_it_is_frozen(site):
    site.write()
    run = site.up().ready()
    victims = [row["pid"] for row in site.status()["controllers"]]
    victims += [lab(site, run), fork_server(run), run.broker()]
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)
    down = site.ask("down", str(site.file))
    assert down.returncode == 0, down.stderr
    assert run.end() == 0
    assert run.members() == []


def test_fork_server_that_cannot_work_ends_the_run_with_its_last_line(site, tmp_path):
    site.write()
    (tmp_path / "sitecustomize.py").write_text(PYTHON_THAT_CANNOT_FORK)
    run = site.up(env={"PYTHONPATH": str(tmp_path)})
    assert run.end() == 1
    assert any(line.startswith("error: the fork server") and "no such luck" in line
               for line in run.lines), run.lines  # fmt: skip
    assert run.members() == []
