"""Finds the state directories of this user: those in the base directory, and others by an index.

The index is the folder ``.elsewhere`` of the base directory: a symbolic link to each state
directory that ``--state-dir`` named, under a digest of its path. So two runs never write the same
entry, and one that leads nowhere is removed by whoever finds it.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import UsageError
from pdsno_cli.runtime.state_dir import base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pdsno_cli.runtime.state_dir import StateDir

_INDEX = ".elsewhere"


def register(state: StateDir) -> None:
    """Have ``state_roots`` find a state directory; without a place for the index it is not found."""
    root = state.root.resolve()
    with suppress(OSError, UsageError):
        states = base()
        if root.parent == states.resolve():
            return
        states.mkdir(mode=0o700, parents=True, exist_ok=True)
        index = states / _INDEX
        index.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        (index / digest).symlink_to(root)


def state_roots() -> Iterator[Path]:
    """Yield the folders that may be state directories; entries that lead nowhere are removed."""
    try:
        states = base()
        folders = [path for path in states.iterdir() if path.name != _INDEX and path.is_dir()]
    except (OSError, UsageError):
        return
    yield from folders
    with suppress(OSError):
        for link in list((states / _INDEX).iterdir()):
            if not link.is_dir():
                with suppress(OSError):
                    link.unlink()
                continue
            root = link.resolve()
            if root.parent != states.resolve():
                yield root
