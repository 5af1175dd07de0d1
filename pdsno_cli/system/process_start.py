"""When a process started, to tell it from a later one with the same number."""

from __future__ import annotations

import subprocess
from pathlib import Path


def process_started(pid: int) -> str | None:
    """Return an opaque mark of a process's start, None if there is no such process.

    On Linux it is field 22 of proc_pid_stat(5), clock ticks after boot, elsewhere the text of ps(1).
    """
    try:
        # The command in field 2 may hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the argument is a number
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() or None
