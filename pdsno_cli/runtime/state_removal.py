"""Removes the state of a topology that is down; what a run did not make stays."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import StateError, UsageError
from pdsno_cli.runtime.known_states import is_state_dir
from pdsno_cli.runtime.private import require_own

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.runtime.state_dir import StateDir

_FOLDERS = ("stores", "logs", "http")
_FILES = ("key", "run.json", "run.new", "control.sock", "lock")  # the lock last: it is held


def remove_state(state: StateDir) -> list[str]:
    """Remove stores, key, logs and record; return the names of what was there besides, and stays.

    Raises UsageError if the folder is not a state directory, StateError if it is in use, belongs to
    another user, or cannot be removed.
    """
    root = state.root
    if not root.is_dir():
        raise UsageError(f"there is no state in {root}")
    if root.is_symlink() or not is_state_dir(state):
        raise UsageError(f"{root} is not a state directory of pdsno: nothing was removed")
    try:
        require_own(root, root.lstat())
        with state.lock():
            if alone := state.running_alone():
                raise StateError(f"{', '.join(alone)} runs with the state in {root}: stop it first")
            for name in _FOLDERS:
                if (root / name).is_dir() and not (root / name).is_symlink():
                    shutil.rmtree(root / name)
            for name in _FILES:
                (root / name).unlink(missing_ok=True)
            left = sorted(path.name for path in root.iterdir())
            if not left:
                root.rmdir()
    except OSError as exc:
        raise StateError(f"{exc.filename or root} cannot be removed: {exc.strerror}") from exc
    return left


def size_of(root: Path) -> int:
    """Return the bytes of the files below a folder."""
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
