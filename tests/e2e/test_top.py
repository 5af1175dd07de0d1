"""``pdsno top`` on a real plane: by textual's pilot, and once in a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import subprocess
import time

import pytest

from pdsno_cli.runtime.state_dir import StateDir
from tests.e2e.conftest import PDSNO, WAIT, until

pytest.importorskip("textual")


@pytest.fixture
def plane(site):
    site.write()
    site.up().ready()
    until(lambda: site.status()["well"], "health")
    return site


async def shown(pilot, condition, what):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        await pilot.pause(0.05)
        if condition():
            return
    pytest.fail(f"{what} was not shown")


def cells(app):
    from textual.widgets import DataTable

    table = app.screen.query_one(DataTable)
    return [str(table.get_row_at(n)[0]).strip() for n in range(table.row_count)]


def text(app, place):
    return str(app.screen.query_one(place).content)


def test_view_folds_filters_sorts_and_shows_one_controller(plane):
    from pdsno_cli.cli.top_app import Top

    async def look():
        app = Top(plane.root, StateDir(plane.state))
        async with app.run_test(size=(80, 24)) as pilot:
            whole = ["g1", "▾ r1", "rc1", "lc1", "lc2"]
            await shown(pilot, lambda: cells(app) == whole, "the whole plane")
            assert "4/4 ready" in text(app, "#head")
            await pilot.press("down", "space")
            await shown(pilot, lambda: cells(app) == ["g1", "▸ r1"], "the folded region")
            await pilot.press("f")
            await shown(pilot, lambda: cells(app) == whole, "every region")
            await pilot.press("slash", *"lc2", "enter")
            await shown(pilot, lambda: cells(app) == ["▾ r1", "lc2"], "the filtered rows")
            await pilot.press("escape")
            await shown(pilot, lambda: cells(app) == whole, "all rows again")
            await pilot.press("s")
            await shown(pilot, lambda: len(cells(app)) == 4, "one list")
            assert "by state" in text(app, "#head")
            await pilot.press("s", "s", "s", "s", "down", "down", "down", "enter")
            await shown(pilot, lambda: "lc1  local of r1" in text(app, "#about"), "the detail")
            await shown(pilot, lambda: "ready over mqtt" in text(app, "#entries"), "the log")
            await pilot.press("escape", "q")

    asyncio.run(look())


def test_view_outlives_the_run(plane):
    from pdsno_cli.cli.top_app import Top

    async def look():
        app = Top(plane.root, StateDir(plane.state))
        async with app.run_test(size=(60, 20)) as pilot:
            await shown(pilot, lambda: "lc1" in cells(app), "the plane")
            await asyncio.to_thread(plane.ask, "down", str(plane.file))
            await shown(pilot, lambda: "not up" in text(app, "#note"), "that it is down")

    asyncio.run(look())


def test_it_runs_in_a_terminal_and_ends_with_q(plane):
    ours, theirs = pty.openpty()
    command = [PDSNO, "top", str(plane.file), "--state-dir", str(plane.state)]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        screen, deadline, asked = b"", time.monotonic() + WAIT, False
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    screen += os.read(ours, 65_536)
                except OSError:  # Linux: the other end is closed
                    break
            if not asked and b"rc1" in screen and b"4/4" in screen:
                os.write(ours, b"q")
                asked = True
        assert process.wait(WAIT) == 0
    os.close(ours)
    assert asked
    assert screen.rstrip().endswith((b"l", b"h"))  # the terminal's modes are put back last


def test_without_a_terminal_it_names_another_command(plane):
    done = plane.ask("top", str(plane.file))
    assert done.returncode == 2
    assert "needs a terminal; elsewhere: pdsno status --json" in done.stderr
