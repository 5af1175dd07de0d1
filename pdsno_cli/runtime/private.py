"""Makes folders that belong to their user alone, and verifies that."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder, mode 0700, or tighten the one that is there.

    StateError when it, or a file in it, is a symbolic link or belongs to another user, who could
    then decide what is read and written. OSError when it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_own(folder, folder.lstat())
    if folder.lstat().st_mode & 0o077:
        folder.chmod(0o700)
    require_own_files(folder)


def require_own_files(folder: Path) -> None:
    """Raise StateError if a file in a folder is a symbolic link or belongs to another user."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):  # those of ours are judged by themselves
                require_own(folder / entry.name, entry.stat(follow_symlinks=False))


def require_own(path: Path, found: os.stat_result) -> None:
    """Raise StateError if a path is a symbolic link or belongs to another user."""
    if stat.S_ISLNK(found.st_mode):
        raise StateError(
            f"{path} is a symbolic link, which a state directory must not hold: "
            "move what it points to in its place"
        )
    if found.st_uid != os.geteuid():
        raise StateError(
            f"{path} belongs to user {found.st_uid}, and this is user {os.geteuid()}: "
            "run as that user, or choose another with --state-dir"
        )
