"""Which process this is, for people who look for it."""

from __future__ import annotations

import os


def holder() -> str:
    """Return the host's name and the number of this process."""
    return f"{os.uname().nodename}, process {os.getpid()}"
