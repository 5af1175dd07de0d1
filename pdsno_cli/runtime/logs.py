"""How a process that runs a controller logs: one line a record, UTC, to stderr or to a file.

At SIGUSR1 it writes there, too, where each of its threads is: what a controller that seems to wait
for ever is asked.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s"


def log_to_stderr() -> None:
    """Send every record of this process to stderr."""
    _log_to(logging.StreamHandler())


def log_to_file(path: Path) -> None:
    """Send every record of this process to a file, for its user alone."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    _log_to(logging.FileHandler(path))


def _log_to(handler: logging.StreamHandler[Any]) -> None:
    formatter = logging.Formatter(FORMAT, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    if handler.stream is not None:  # who closed stderr is told nothing
        faulthandler.register(signal.SIGUSR1, handler.stream)
    for noisy in ("asyncio", "scapy", "pysnmp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
