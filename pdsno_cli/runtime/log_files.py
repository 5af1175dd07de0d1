"""Reads the logs of a topology's processes: merged by time, and followed as they grow.

Each log has at most one older file, ``.1`` (``runtime.logs``). A line without a time, as of a
traceback or of a library that prints, belongs to the entry before it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEVELS = ("debug", "info", "warning", "error", "critical")
_SUFFIX = ".log"
_OLDER = ".1"
_HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z ([A-Z]+) (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a log; ``time`` is in Unix seconds, ``text`` may have several lines."""

    time: float
    name: str  # a controller's id, "supervisor", "broker", "lab", "forkserver"
    level: str
    text: str

    def is_at_least(self, level: str) -> bool:
        """Return True if the entry is of ``level``, or more severe; an unknown level counts as info."""
        own = LEVELS.index(self.level) if self.level in LEVELS else LEVELS.index("info")
        return own >= LEVELS.index(level)


def log_names(folder: Path) -> list[str]:
    """Return the names of the processes that have a log, sorted; empty where none has."""
    return sorted(_name(path.name) for path in folder.glob(f"*{_SUFFIX}"))


class LogFollower:
    """Reads what is appended to the wanted logs, also to those that begin later or are rotated."""

    def __init__(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        self._folder = folder
        self._wanted = wanted  # by the name of a process
        self._logs: dict[str, _Log] = {}

    def read(self) -> list[LogEntry]:
        """Return the entries since the last call, oldest first; at the first call, all there are."""
        try:
            with os.scandir(self._folder) as entries:
                found = {item.name: item for item in entries if item.name.endswith(_SUFFIX)}
        except FileNotFoundError:
            return []
        batch: list[LogEntry] = []
        for file_name, item in found.items():
            log = self._logs.get(file_name)
            if log is None:
                name = _name(file_name)
                if not self._wanted(name):
                    continue
                log = self._logs[file_name] = _Log(self._folder / file_name, name)
            try:
                batch += log.news(item.stat())
            except OSError:
                continue  # removed, or put aside, this very moment
        return sorted(batch, key=lambda entry: entry.time)  # stable: one log keeps its order


class _Log:
    """One log, and how far it was read."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._older = path.with_name(path.name + _OLDER)
        self._name = name
        self._file: tuple[int, int] | None = None  # device and inode of what was read last
        self._read = 0  # bytes
        self._time = 0.0  # of the last entry: those of one log never go back
        self._level = "info"

    def news(self, status: os.stat_result) -> list[LogEntry]:
        """Return the entries since the last call; ``status`` is the file's of now."""
        file = (status.st_dev, status.st_ino)
        found: list[LogEntry] = []
        if file != self._file:
            found += self._rest()
            self._file, self._read = file, 0
        if status.st_size < self._read:  # truncated by hand
            self._read = 0
        if status.st_size > self._read:
            found += self._entries(self._whole_lines(self._path, file))
        return found

    def _rest(self) -> list[LogEntry]:
        """Return what was appended to the file that is the older one now; all of it at first."""
        try:
            status = self._older.stat()
        except OSError:
            return []
        older = (status.st_dev, status.st_ino)
        if self._file is not None and older != self._file:  # rotated twice: read what is left
            self._read = 0
        return list(self._entries(self._whole_lines(self._older, older)))

    def _whole_lines(self, path: Path, file: tuple[int, int]) -> bytes:
        """Return the bytes that were not read yet, up to the last end of a line."""
        try:
            with path.open("rb") as log:
                status = os.fstat(log.fileno())
                if (status.st_dev, status.st_ino) != file:
                    return b""  # rotated meanwhile: the next call finds it
                log.seek(self._read)
                data = log.read()
        except OSError:
            return b""
        end = data.rfind(b"\n") + 1
        self._read += end
        return data[:end]

    def _entries(self, data: bytes) -> Iterator[LogEntry]:
        head: list[str] = []
        for line in data.decode(errors="replace").splitlines():
            found = _HEAD.fullmatch(line)
            if found is None:
                head.append(line)
                continue
            if head:
                yield self._entry(head)
            moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
            self._time = max(self._time, moment)
            self._level = found[2].lower()
            head = [found[3]]
        if head:
            yield self._entry(head)

    def _entry(self, lines: list[str]) -> LogEntry:
        return LogEntry(self._time, self._name, self._level, "\n".join(lines))


def _name(file_name: str) -> str:
    return unquote(file_name.removesuffix(_SUFFIX))
