"""Which process this is, for people who look for it."""

from __future__ import annotations

import os


def process_label(topology_name: str) -> str:
    """Return the host's name, the number of this process, and the topology that it runs."""
    return f"{os.uname().nodename}, process {os.getpid()}, topology {topology_name}"
