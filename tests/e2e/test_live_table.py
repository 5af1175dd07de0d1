"""What ``pdsno up`` shows on a real pseudo-terminal, read back as a person sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid

import pytest

from .conftest import PDSNO, WAIT, marked_processes

# Makes its standard input the controlling terminal, so that a typed Ctrl-C becomes SIGINT.
IN_FRONT = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
HEADINGS = ["controller", "role", "region", "state", "transport", "last cycle", "devices", "sent",
            "committed"]  # fmt: skip
ESCAPE = re.compile(r"\x1b\[(?P<args>[?0-9;]*)(?P<what>[A-Za-z])|\x1b.")


class Screen:
    """As much of a VT100 as a redrawn table needs: cursor up, erasing, wrapping, scrolling."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._height = columns, rows
        self._lines: list[list[str]] = [[]]  # all that was ever written; the last rows are seen
        self._row = self._column = 0
        self.cursor_hidden = False

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            if found := ESCAPE.match(text, at):
                self._command(found["what"], found["args"] or "")
                at = found.end()
                continue
            self._put(text[at])
            at += 1

    def seen(self) -> list[str]:
        """Return the lines in the window, without trailing blanks."""
        return ["".join(line).rstrip() for line in self._lines[-self._height :]]

    def history(self) -> list[str]:
        """Return every line, those that scrolled away too."""
        return ["".join(line).rstrip() for line in self._lines]

    def _command(self, what: str | None, args: str) -> None:
        if what == "A":
            top = max(len(self._lines) - self._height, 0)  # the cursor cannot leave the window
            self._row = max(self._row - int(args or 1), top)
        elif what == "K":
            self._lines[self._row] = [] if args == "2" else self._lines[self._row][: self._column]
        elif what in ("h", "l") and args == "?25":
            self.cursor_hidden = what == "l"
        else:
            assert what == "m", f"this screen does not know ESC[{args}{what}"

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            if self._row == len(self._lines):
                self._lines.append([])
        else:
            if self._column == self._columns:  # as terminals do: wrap with the next character
                self._put("\r")
                self._put("\n")
            line = self._lines[self._row]
            line.extend(" " * (self._column + 1 - len(line)))
            line[self._column] = character
            self._column += 1


class OnTerminal:
    """One ``pdsno …`` on a pseudo-terminal of its own, which it holds as a shell's job would."""

    def __init__(self, *args: str, columns: int, rows: int, **env: str) -> None:
        self._mark = uuid.uuid4().hex
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        ours = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_FRONT, PDSNO, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**ours, "TERM": "xterm-256color", "PDSNO_TEST_MARK": self._mark, **env},
        )
        os.close(slave)
        self._size = (columns, rows)
        self._data = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:  # no process has the terminal open any more (Linux: EIO)
                return
            if not data:
                return
            self._data += data

    @property
    def text(self) -> str:
        """Everything written to the terminal."""
        return self._data.decode(errors="ignore")

    def screen(self) -> Screen:
        screen = Screen(*self._size)
        screen.feed(self.text)
        return screen

    def until_seen(self, pattern: str) -> list[str]:
        """Wait until the window shows a match; return its lines."""
        return self._until(
            lambda lines: re.search(pattern, "\n".join(lines), re.MULTILINE) and lines, pattern
        )

    def until_cells(self, controller: str, condition) -> dict[str, str]:
        """Wait until the table's row of a controller is as wanted; return it by heading."""

        def wanted(lines):
            row = cells(lines, controller)
            return row and condition(row) and row

        return self._until(wanted, f"the row of {controller}")

    def _until(self, condition, what: str):
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            lines = self.screen().seen()
            if found := condition(lines):
                return found
            time.sleep(0.05)
        return pytest.fail(f"{what} was not to be seen within {WAIT:g} s on:\n" + "\n".join(lines))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for the end and for the last word; return the exit code."""
        code = self.process.wait(WAIT)
        self._reader.join(WAIT)
        return code

    def modes(self) -> list:
        """Return the modes of the terminal: tcgetattr(3)."""
        return termios.tcgetattr(self._master)

    def members(self) -> list[int]:
        return marked_processes(self._mark)

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.members():
            os.kill(pid, 9)
        self._reader.join(5)
        os.close(self._master)


def cells(lines: list[str], controller: str) -> dict[str, str] | None:
    """Return what stands under each heading in the row of a controller."""
    head = next((line for line in lines if line.startswith("controller ")), None)
    row = next((line for line in lines if line.split(" ")[0] == controller), None)
    if head is None or row is None:
        return None
    found = {}
    # Columns are two blanks apart; numbers stand under the end of their heading.
    for match in re.finditer(r"\S+( \S+)*", head):
        start = match.start()
        while start > 0 and row[start - 1 : start].strip():
            start -= 1
        following = re.compile(r"\S").search(head, match.end())
        end = following.start() if following else len(row)
        found[match[0]] = row[start:end].strip()
    return found


@pytest.fixture
def terminal(site):
    started = []

    def up(*args, columns=100, rows=30, **env):
        words = ("up", str(site.file), "--state-dir", str(site.state), *args)
        started.append(OnTerminal(*words, columns=columns, rows=rows, **env))
        return started[-1]

    yield up
    for item in started:
        item.clean_up()


def campus(site, locals_: int, prefix: str = "") -> None:
    """Write a topology of many local controllers, each with one address."""
    site.file.write_text(f"""\
name: {site.root}
topics: {{root: {site.root}}}
fallbacks: [mqtt]
defaults: {{heartbeat: 5s, discovery: {{interval: 1m, protocols: [icmp]}}}}
regions: {{r1: {{}}}}
controllers:
  {prefix}g1: {{role: global}}
  {prefix}rc1: {{role: regional, region: r1}}
  {prefix}lc_[01:{locals_:02d}]:
    role: local
    region: r1
    discovery: {{targets: {{split: {site.net}.0/26, into: 32}}}}
""")


def count(lines: list[str], text: str) -> int:
    return sum(text in line for line in lines)


def test_table_shows_every_controller_and_ends_cleanly_on_a_typed_ctrl_c(site, terminal):
    site.write(devices=6, snmp=3)
    run = terminal()
    title = run.until_seen(r"all ready in \d+\.\d s")[0]
    assert re.fullmatch(
        rf"{site.root} · embedded broker on 127\.0\.0\.1:\d+( \(v5: \d+\))? · all ready in \S+ s",
        title,
    )
    local = run.until_cells("lc1", lambda row: row["committed"] not in ("", "0"))
    assert list(local) == HEADINGS
    assert (local["role"], local["region"], local["state"], local["transport"]) == (
        "local", "r1", "ready", "mqtt",
    )  # fmt: skip
    assert re.fullmatch(r"\d+( complete)?, \d+ s ago", local["last cycle"])
    assert local["devices"] == "3"
    assert int(local["sent"]) >= int(local["committed"]) >= 1
    assert run.until_cells("g1", lambda row: row["devices"] == "6")["role"] == "global"
    assert run.until_cells("rc1", lambda row: row["devices"] == "6")["role"] == "regional"
    assert "\x1b[32m" in run.text  # green, where ready
    assert run.screen().cursor_hidden

    run.type("\x03")
    assert run.end() == 0
    assert run.members() == []
    screen = run.screen()
    lines = screen.seen()
    assert {cells(lines, name)["state"] for name in ("g1", "rc1", "lc1", "lc2")} == {"stopped"}
    assert count(lines, "stopping; Ctrl-C again ends everything at once") == 1
    assert count(screen.history(), site.root) == 1  # drawn over itself to the last
    assert not screen.cursor_hidden


def test_table_is_followed_by_the_summary_when_cycles_end(site, terminal):
    site.write(devices=6, snmp=3, interval="60s")  # no second cycle, however slow the machine
    run = terminal("--cycles", "1")
    assert run.end() == 0
    lines = run.screen().seen()
    assert cells(lines, "lc2")["committed"] == "1"
    table = next(i for i, line in enumerate(lines) if line.startswith("controller "))
    total = next(i for i, line in enumerate(lines) if line.startswith("6 devices at the top, 3"))
    assert table < total


def test_no_color_leaves_the_table_without_its_colours(site, terminal):
    site.write(devices=6, snmp=3)
    run = terminal(NO_COLOR="1")
    run.until_seen(r"all ready in")
    assert run.until_cells("lc1", lambda row: row["state"] == "ready")["devices"] in ("", "3")
    run.type("\x03")
    assert run.end() == 0
    styles = set(";".join(re.findall(r"\x1b\[([0-9;]*)m", run.text)).split(";"))
    assert styles <= {"", "0", "1", "2", "3"}  # bold, dim and italic are not colours
    assert count(run.screen().history(), site.root) == 1


def test_plain_lines_without_escape_codes_on_a_dumb_terminal(site, terminal):
    site.write()
    run = terminal(TERM="dumb")
    run.until_seen(r"^\S+: all 4 controllers ready in \S+ s$")
    run.until_seen(r"^lc1: cycle 1 complete .*: 3 devices, 3 new, 0 updated, 0 inactive$")
    run.type("\x03")
    assert run.end() == 0
    lines = run.screen().history()
    assert "lc1: ready over mqtt" in lines
    assert "g1: stopped" in lines
    assert "\x1b" not in run.text
    assert run.members() == []


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (80, 16)])
def test_table_of_forty_controllers_fits_the_window(site, terminal, columns, rows):
    campus(site, locals_=38)
    run = terminal(columns=columns, rows=rows)
    lines = run.until_seen(r"^… \d+ more, 40 of 40 ")
    assert lines[0].startswith(f"{site.root} · embedded broker")
    more = int(re.search(r"… (\d+) more", "\n".join(lines))[1])
    named = [line for line in lines if re.match(r"(g1|rc1|lc_\d\d) ", line)]
    assert len(named) + more == 40
    assert len(named) >= 4
    assert len(run.screen().history()) <= rows  # nothing ever scrolled away
    run.type("\x03")
    assert run.end() == 0
    assert len(run.screen().history()) <= rows
    assert run.members() == []


def test_keys_scroll_and_are_not_echoed_and_the_terminal_is_put_back(site, terminal):
    campus(site, locals_=38)
    run = terminal(columns=80, rows=16)
    run.until_seen(r"^… \d+ more, 40 of 40 ready; arrow keys scroll$")
    run.until_seen(r"^g1 ")
    before = run.modes()
    assert not before[3] & (termios.ECHO | termios.ICANON)
    run.type("xyzzy\x1b[F")
    run.until_seen(r"^lc_38 ")
    run.type("\x1b[5~")
    run.until_seen(r"^lc_(?!38)\d\d [^\n…]*\n… \d+ more")  # the last row is another
    run.type("\x1b[H")
    run.until_seen(r"^g1 ")
    assert "xyzzy" not in run.text
    run.type("\x03")
    assert run.end() == 0
    assert run.modes()[3] & (termios.ECHO | termios.ICANON) == termios.ECHO | termios.ICANON


def test_terminal_is_put_back_when_everything_ends_at_once(site, terminal):
    site.write()
    run = terminal()
    run.until_seen(r"all ready in")
    run.type("\x03")
    run.type("\x03")
    assert run.end() in (0, 130)
    assert run.modes()[3] & termios.ECHO


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize(
    "prefix", ["", "local_cntl_building-seven-north-wing_"], ids=["short", "long"]
)
def test_names_are_whole_and_columns_give_way(site, terminal, prefix, columns):
    campus(site, locals_=38, prefix=prefix)
    run = terminal(columns=columns)
    run.until_seen(r"all ready in")
    lines = run.until_seen(r"^… \d+ more, 40 of 40 ")
    assert count(lines, " more, 40 of 40 ready") == 1
    head = next(i for i, line in enumerate(lines) if line.startswith("controller "))
    shown = re.split(r"\s{2,}", lines[head])
    assert shown == [heading for heading in HEADINGS if heading in shown]
    assert {"controller", "state", "last cycle", "devices"} <= set(shown)
    assert prefix or columns < 100 or shown == HEADINGS
    named = [line for line in lines[head + 1 :] if re.search(r"\sready\b", line)]
    named = [line for line in named if "more," not in line]
    assert len(named) >= 10
    for line in named:
        assert re.match(rf"{prefix}(lc_\d\d|rc1|g1)\s", line), line
    run.type("\x03")
    assert run.end() == 0
    assert count(run.screen().history(), site.root) == 1  # the typed ^C must not shift the table


def test_status_of_more_controllers_than_fit_the_window_is_rolled_up(site):
    campus(site, locals_=38, prefix="local_cntl_building-seven-north-wing_")
    run = OnTerminal("up", str(site.file), "--state-dir", str(site.state), columns=80, rows=24)
    words = (str(site.file), "--state-dir", str(site.state))
    try:
        run.until_seen(r"all ready in")
        sick = "local_cntl_building-seven-north-wing_lc_07"
        stopped = OnTerminal("stop", str(site.file), sick, *words[1:], columns=80, rows=24)
        assert stopped.end() == 0
        shown = OnTerminal("ps", *words, columns=80, rows=24)
        assert shown.end() == 1
        history = shown.screen().history()
        assert len(history) <= 24  # nothing has scrolled away, and no line was wrapped
        text = "\n".join(history)
        assert re.search(r"^r1 +38/39 ", text, re.MULTILINE), text
        assert re.search(rf"^{sick} +r1 +stopped", text, re.MULTILINE), text
        assert "_lc_08" not in text
        everyone = OnTerminal("ps", *words, "--all", columns=80, rows=24)
        assert everyone.end() == 1
        assert "_lc_08" in everyone.text
    finally:
        run.clean_up()
