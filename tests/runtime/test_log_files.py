"""Reading logs that real processes write: merged, followed, rotated."""

from __future__ import annotations

import logging

import pytest

from pdsno_cli.runtime import logs
from pdsno_cli.runtime.log_files import LogEntry, LogFollower, log_names


def everything(_name: str) -> bool:
    return True


@pytest.fixture
def write(tmp_path):
    """Return a function that logs records under a name, as a process of a run does."""
    made: dict[str, logging.Logger] = {}

    def log(name: str, *args, level: int = logging.INFO) -> None:
        if name not in made:
            logger = made[name] = logging.getLogger(f"tests.{tmp_path}.{name}")
            logger.setLevel(logging.INFO)
            logger.propagate = False
            handler = logs.LogFile(tmp_path / f"{name}.log")
            handler.setFormatter(logs.LineFormatter())
            logger.addHandler(handler)
        made[name].log(level, *args)

    yield log
    for logger in made.values():
        logger.handlers.pop().close()


def texts(entries: list[LogEntry]) -> list[str]:
    return [entry.text for entry in entries]


def test_entries_of_all_logs_come_by_time(write, tmp_path):
    for number in range(6):
        write(f"lc{number % 2}", "entry %d", number)
    entries = LogFollower(tmp_path, everything).read()
    assert sorted(texts(entries)) == [f"entry {number}" for number in range(6)]
    assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
    assert log_names(tmp_path) == ["lc0", "lc1"]


def test_only_wanted_logs_are_read(write, tmp_path):
    write("lc1", "one")
    write("lc2", "two")
    assert texts(LogFollower(tmp_path, "lc2".__eq__).read()) == ["two"]


def test_lines_without_a_time_belong_to_the_entry_before(write, tmp_path):
    write("lc1", "first", level=logging.ERROR)
    with (tmp_path / "lc1.log").open("a") as raw:
        raw.write("  a traceback\n\nlast line\n")
    write("lc1", "second")
    first, second = LogFollower(tmp_path, everything).read()
    assert (first.text, first.level) == ("first\n  a traceback\n\nlast line", "error")
    assert (second.text, second.level) == ("second", "info")


def test_what_is_printed_before_the_first_record_is_an_entry(tmp_path):
    (tmp_path / "broker.log").write_text("starting\nlistening\n")
    assert LogFollower(tmp_path, everything).read() == [
        LogEntry(0.0, "broker", "info", "starting\nlistening")
    ]


def test_follower_returns_each_entry_once(write, tmp_path):
    follower = LogFollower(tmp_path, everything)
    assert follower.read() == []
    write("lc1", "one")
    assert texts(follower.read()) == ["one"]
    assert follower.read() == []
    write("lc1", "two")
    write("lc2", "three")  # a log that begins later
    assert texts(follower.read()) == ["two", "three"]


def test_follower_waits_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "lc1.log"
    follower = LogFollower(tmp_path, everything)
    path.write_text("2026-11-26T10:00:00.000Z INFO half")
    assert follower.read() == []
    with path.open("a") as log:
        log.write(" and half\n")
    assert texts(follower.read()) == ["half and half"]


@pytest.mark.parametrize("seen", [0, 1, 5])
def test_follower_loses_nothing_at_a_rotation(write, tmp_path, monkeypatch, seen):
    monkeypatch.setattr(logs, "FILE_LIMIT", 600)
    follower = LogFollower(tmp_path, everything)
    found = []
    for number in range(60):
        write("lc1", "entry %d", number)
        if number % 5 == seen % 5:
            found += texts(follower.read())
    assert (tmp_path / "lc1.log.1").exists()
    assert found + texts(follower.read()) == [f"entry {number}" for number in range(60)]


def test_older_file_is_read_first(write, tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FILE_LIMIT", 400)
    for number in range(12):
        write("lc1", "entry %d", number)
    found = texts(LogFollower(tmp_path, everything).read())
    assert found == [f"entry {number}" for number in range(12 - len(found), 12)]
    assert len(found) > 5


def test_log_truncated_by_hand_is_read_from_its_start(write, tmp_path):
    follower = LogFollower(tmp_path, everything)
    write("lc1", "a long entry, longer than the next")
    follower.read()
    (tmp_path / "lc1.log").write_text("")
    write("lc1", "short")
    assert texts(follower.read()) == ["short"]


def test_escaped_file_name_is_shown_as_the_id(tmp_path):
    (tmp_path / "a%2Fb.log").write_text("x\n")
    assert log_names(tmp_path) == ["a/b"]


def test_clock_that_is_set_back_does_not_reorder_one_log(tmp_path):
    (tmp_path / "lc1.log").write_text(
        "2026-11-26T10:00:05.000Z INFO first\n2026-11-26T10:00:00.000Z INFO second\n"
    )
    assert texts(LogFollower(tmp_path, everything).read()) == ["first", "second"]


@pytest.mark.parametrize(
    ("level", "least", "expected"),
    [("warning", "warning", True), ("info", "warning", False), ("critical", "error", True),
     ("notice", "info", True), ("notice", "warning", False)],
)  # fmt: skip
def test_level_is_compared_by_severity(level, least, expected):
    assert LogEntry(0.0, "lc1", level, "").is_at_least(least) is expected
