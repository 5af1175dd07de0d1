"""What the embedded broker has to say, as lines on stderr that are worth reading.

rumqttd traces with spans, each of which arrives as a log record of level ERROR (for every packet
in its router, for every connection elsewhere), and repeats itself for every client in trouble.
"""

from __future__ import annotations

import logging
import re
import time

_ROUTER = "rumqttd.router"  # spans for every packet: costly even to look at
_SPAN = re.compile(r"^(\[[<>]\] )?[\w-]+;")  # a span's name, then its fields
_GONE = ("Recv(Disconnected)", "Network(Io(")  # a client went away: its own side says why
_VARIABLE = re.compile(r"[0-9]+|\"[^\"]*\"")
_QUIET = 10.0  # seconds before the same warning is said again


class _Worthwhile(logging.Filter):
    """Lets a warning pass, the same one not too often."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _SPAN.match(text) or any(words in text for words in _GONE):
            return False
        kind, now = _VARIABLE.sub("", text), time.monotonic()
        if now - self._said.get(kind, -_QUIET) < _QUIET:
            return False
        self._said[kind] = now
        return True


def to_stderr() -> None:
    """Send the broker's warnings to stderr, one line each."""
    handler = logging.StreamHandler()
    handler.addFilter(_Worthwhile())
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    logging.getLogger(_ROUTER).setLevel(logging.CRITICAL)
