"""Reads a file named by the user, up to a limit, and only if it cannot block."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A shell's <(command), which is a FIFO with a writer, and standard input.
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_file(path: Path, limit: int) -> bytes:
    """Return at most ``limit`` bytes of a file.

    OSError if it cannot be read or is not a regular file: reading a FIFO or a terminal could block
    for ever.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not str(path).startswith(_DESCRIPTORS):
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, not a file")
    with path.open("rb") as file:
        return file.read(limit)


def _kind(mode: int) -> str:
    for judge, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if judge(mode):
            return name
    return "a device"
