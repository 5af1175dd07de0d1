"""``pdsno logs``: prints the logs of a topology's processes, merged by time."""

from __future__ import annotations

import contextlib
import fnmatch
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, SINCE, STATE_DIR, choose_level, moment
from pdsno_cli.cli.completion import topology_and_controllers, values
from pdsno_cli.cli.target import file_first, locate
from pdsno_cli.model.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from pdsno_cli.runtime.log_files import LogEntry

_TAIL = 20  # entries before those that --follow waits for
_SHORTEST = 0.1  # seconds between two looks at the files
_SHARE = 25  # a look is followed by so many times its own duration: 4 % of a core
_NAME_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")  # SGR parameters
_LEVEL_COLOURS = {"warning": "33", "error": "31", "critical": "31"}


def _levels() -> Iterable[str]:
    from pdsno_cli.runtime.log_files import LEVELS

    return LEVELS


def logs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [ID]...",
            help="The topology, and ids of controllers, or patterns such as 'local_*'; all by default.",
            autocompletion=topology_and_controllers(),
        ),
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged, until Ctrl-C.")
    ] = False,
    since: SINCE = None,
    level: Annotated[
        str,
        typer.Option(
            "--level", metavar="LEVEL", autocompletion=values(_levels),
            help="Only from this level on, as in warning.",
        ),
    ] = "debug",
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines", "-n", metavar="N", min=0,
            help=f"Only the last N entries (default: all; {_TAIL} with --follow).",
        ),
    ] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:  # fmt: skip
    """Show the logs of all processes of a topology, by one clock.

    Also after it has ended: controllers, supervisor, broker and lab. Times are local ones; with --json, a line an entry, they are UTC.
    """
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.runtime.log_files import LogFollower, log_names

    least = choose_level(level)
    begin = 0.0 if since is None else moment(since, time.time())
    file, ids = file_first(words or [])
    target = locate(file, state_dir)
    folder = target.state.logs
    names = log_names(folder)
    if not names:
        raise UsageError(f"no logs of {target.name} in {folder}: it has not run yet")
    wanted = _wanted(ids, names)
    follower = LogFollower(folder, wanted)
    width = max(map(len, filter(wanted, names)), default=0)
    show = _json if as_json else _Lines(names, width, colour=console.colour(sys.stdout))

    def selected() -> Iterable[LogEntry]:
        return (x for x in follower.read() if x.time >= begin and x.is_at_least(least))

    most = _TAIL if lines is None and follow and since is None else lines
    entries: Collection[LogEntry] = deque(selected(), maxlen=most)
    if not entries and not follow:
        console.progress(f"{target.name}: nothing was logged that matches")
    with contextlib.suppress(KeyboardInterrupt):
        while _print(map(show, entries)) and follow:
            began = time.thread_time()
            entries = list(selected())
            time.sleep(max(_SHORTEST, _SHARE * (time.thread_time() - began)))


def _print(texts: Iterable[str]) -> bool:
    """Print entries; return False if the reader has closed the pipe."""
    text = "\n".join(texts)
    return not text or console.data(text)


def _wanted(ids: list[str], names: list[str]) -> Callable[[str], bool]:
    """Return whether a process's log is wanted; UsageError for an id that none has."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import suggest

    for pattern in ids:
        if not fnmatch.filter(names, pattern):
            raise UsageError(f"no log of {pattern!r}: {suggest(pattern, names)}")
    return lambda name: not ids or any(fnmatch.fnmatchcase(name, pattern) for pattern in ids)


def _json(entry: LogEntry) -> str:
    return json.dumps(
        {
            "time": datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="milliseconds"),
            "id": entry.name,
            "level": entry.level,
            "text": entry.text,
        }
    )


class _Lines:
    """Formats an entry as a line of text, each process in a colour of its own."""

    def __init__(self, names: list[str], width: int, *, colour: bool) -> None:
        self._names = names
        self._width = width
        self._colour = colour

    def __call__(self, entry: LogEntry) -> str:
        name = entry.name.ljust(self._width)
        text = printable_lines(entry.text).replace("\n", "\n  ")
        if entry.level not in ("info", "debug"):
            text = f"{self._paint(entry.level, _LEVEL_COLOURS.get(entry.level))}: {text}"
        known = self._names.index(entry.name) if entry.name in self._names else 0
        shade = _NAME_COLOURS[known % len(_NAME_COLOURS)]
        return f"{console.clock(entry.time)} {self._paint(name, shade)}  {text}"

    def _paint(self, text: str, shade: str | None) -> str:
        return f"\033[{shade}m{text}\033[0m" if self._colour and shade else text
