"""Runs a check again whenever one of its files changes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.walk import walk
from pdsno_cli.lint import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    Signature = dict[str, tuple[int, int] | None]

_INTERVAL = 0.3  # seconds between two looks at the files
_CLEAR = "\033[2J\033[3J\033[H"


def watch(files: Sequence[str], once: Callable[[], None], *, beside: Sequence[Path]) -> NoReturn:
    """Call ``once`` now and after every change, until Ctrl-C.

    Watched are the files that ``files`` name, new ones in a directory too, those ``beside`` them, and
    configuration files.
    """
    seen: Signature | None = None
    while True:
        now = _signature(files, beside)
        if now != seen:
            seen = now
            settings.forget()
            if console.terminal(sys.stdout):
                console.data(_CLEAR.rstrip("\n"))
            once()
            console.progress("watching for changes; Ctrl-C ends")
        time.sleep(_INTERVAL)


def _signature(files: Sequence[str], beside: Sequence[Path]) -> Signature:
    """Return modification time and size of each file, None for one that is not there."""
    found: Signature = {}
    folders: set[Path] = set()
    for name in walk(files):
        found[name] = _facts(Path(name))
        folders.update(Path(name).absolute().parents)
    for path in beside:
        found[str(path)] = _facts(path)
    for folder in folders:
        for name in (settings.OWN_FILE, settings.SHARED_FILE):
            path = folder / name
            if (facts := _facts(path)) is not None:
                found[str(path)] = facts
    return found


def _facts(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size
