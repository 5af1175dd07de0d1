"""``pdsno ls``: lists the topologies that run or have state on this machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON
from pdsno_cli.cli.table import fitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.topologies import ListedTopology

FORMAT_VERSION = 1
_HEAD = ("name", "state", "ready", "changes", "since", "file")
_DROP = ("since", "changes", "ready")


def ls(as_json: JSON = False) -> None:
    """List the topologies of this machine.

    Those that run and those that have state: since when, controllers that are ready, and whether
    the file differs from what runs.
    """
    import json

    from pdsno_cli.client.topologies import listed_topologies

    found = listed_topologies()
    if as_json:
        members = {"format_version": FORMAT_VERSION, "topologies": [_json(item) for item in found]}
        console.data(json.dumps(members, indent=2))
        return
    if not found:
        console.progress("no topology runs or has state on this machine: start one with pdsno up")
        return
    console.data(_text(found, console.width()))
    for hint in _hints(found):
        console.progress(hint)


def _text(found: list[ListedTopology], width: int) -> str:
    """Return the table; files go into lines of their own where they do not fit."""
    rows = [_cells(item) for item in found]
    text = fitted(_HEAD, rows, width=width, drop=("since",))
    if max(map(len, text.splitlines())) <= width:
        return text
    head, *lines = fitted(
        _HEAD[:-1], [row[:-1] for row in rows], width=width, drop=_DROP
    ).splitlines()
    with_files = [part for line, row in zip(lines, rows, strict=True) for part in (line, row[-1])]
    return "\n".join(
        [head, *(f"  {part}" if index % 2 else part for index, part in enumerate(with_files))]
    )


def _cells(item: ListedTopology) -> tuple[str, ...]:
    return (
        item.name,
        item.state,
        _ready(item),
        item.changes or "",
        _local_time(item.since),
        "" if item.file is None else _short(item.file),
    )


def _ready(item: ListedTopology) -> str:
    if item.state == "alone":
        return f"{item.ready} running"
    return "" if item.controllers is None else f"{item.ready}/{item.controllers}"


def _local_time(at: float | None) -> str:
    """Return the time of today, else the date."""
    from datetime import datetime

    if at is None:
        return ""
    moment, now = datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone()
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%Y-%m-%d}"


def _short(file: str) -> str:
    """Return a path with ``~`` for the home directory."""
    try:
        home = str(Path.home())
    except RuntimeError:
        return file
    return f"~{file.removeprefix(home)}" if file.startswith(f"{home}/") else file


def _hints(found: list[ListedTopology]) -> Iterator[str]:
    """Yield a line for what is neither up nor stopped, with what to do."""
    dead = [item for item in found if item.state == "dead"]
    if len(dead) == 1:
        again = f"pdsno up {_short(dead[0].file or 'FILE')}"
        remove = f"pdsno down {dead[0].name} --volumes"
        yield f"{dead[0].name}: its supervisor was killed; start it with {again}, or remove its state with {remove}"
    elif dead:
        yield (
            f"{len(dead)} are dead, their supervisors were killed; "
            "start one with pdsno up FILE, or remove its state with pdsno down NAME --volumes"
        )
    for name, count in Counter(item.name for item in found).items():
        if count > 1:
            places = ", ".join(_short(item.state_dir) for item in found if item.name == name)
            yield f"{name} is there {count} times: choose one with --state-dir ({places})"
    for item in found:
        if item.state == "no answer":
            yield f"{item.name}: its supervisor does not answer; see {item.state_dir}/logs"


def _json(item: ListedTopology) -> dict[str, Any]:
    from pdsno_cli.model.ids import timestamp

    return asdict(item) | {"since": None if item.since is None else timestamp(item.since)}
