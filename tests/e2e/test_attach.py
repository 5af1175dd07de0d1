"""``pdsno up`` in a second terminal: it shows what runs, and Ctrl-C ends the display alone."""

from __future__ import annotations

import pytest

from .test_apply import edit, pids
from .test_live_table import OnTerminal, terminal

__all__ = ["terminal"]


@pytest.fixture
def detached(site):
    site.write(interval="1h", lab=False)
    assert site.up("-d").end() == 0
    yield site
    site.ask("down", str(site.file))


def attached(terminal) -> OnTerminal:
    run = terminal()
    run.until_seen(r"attached: Ctrl-C detaches, the topology goes on")
    return run


def test_up_in_a_second_terminal_attaches_and_ctrl_c_detaches(detached, terminal):
    before = pids(detached)
    run = attached(terminal)
    run.until_seen(rf"{detached.root}: nothing to change")
    assert run.until_cells("lc1", lambda row: row["state"] == "ready")["region"] == "r1"
    run.type("\x03")
    assert run.end() == 0
    run.until_seen(rf"{detached.root}: detached, it goes on; end it with: pdsno down")
    assert pids(detached) == before


def test_attached_display_follows_an_apply_and_the_end(detached, terminal):
    run = attached(terminal)
    text = detached.file.read_text()
    detached.file.write_text(text.replace("  lc2:", "  lc3:"))
    assert detached.up().end() == 0
    run.until_cells("lc3", lambda row: row["state"] == "ready")
    assert not any(line.startswith("lc2 ") for line in run.screen().seen())
    assert detached.ask("down", str(detached.file)).returncode == 0
    run.until_seen(rf"{detached.root}: it was stopped")
    assert run.end() == 0


def test_up_d_on_what_runs_returns_at_once_on_a_terminal_too(detached, terminal):
    edit(detached, ("heartbeat: 1s", "heartbeat: 2s"))
    run = terminal("-d")
    run.until_seen(r"applied in \S+ s: 4 live")
    assert run.end() == 0


def test_up_d_names_what_it_waits_for_on_a_terminal(site, terminal):
    site.write(interval="1h", lab=False)
    edit(
        site,
        ("lc2: {role: local,", "lc2: {role: local, nib: 'postgresql+psycopg://127.0.0.1:9/none',"),
    )
    run = terminal("-d", "--timeout", "10s")
    run.until_seen(r"waiting: .*lc2 ")
    assert run.end() == 1
    assert site.ask("down", str(site.file)).returncode in (0, 1)
