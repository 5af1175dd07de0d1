"""Filters the embedded broker's log, and writes its warnings to stderr.

rumqttd's tracing spans arrive as log records of level ERROR (for every packet in its router, for every
connection elsewhere), and it repeats messages for every failing client.
"""

from __future__ import annotations

import logging
import re

from pdsno_cli.model.log_limits import LogLimits
from pdsno_cli.model.printable import printable

_ROUTER = "rumqttd.router"  # spans for every packet: expensive even to filter
_SPAN = re.compile(r"^(\[[<>]\] )?[\w-]+;")  # a span's name, then its fields
_GONE = ("Recv(Disconnected)", "Network(Io(")  # a client disconnected: its own log has the reason
_LONGEST = 500  # characters of a line
_VARIABLE = re.compile(r"[0-9]+|\"[^\"]*\"")
_KINDS = 64  # kept apart; the text may contain data of a client


class _DropSpans(logging.Filter):
    """Drops spans and disconnects, and marks the rest as throttled: clients can cause it."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if _SPAN.match(text) or any(words in text for words in _GONE):
            return False
        kind = _VARIABLE.sub("", text)
        if len(self._kinds) < _KINDS:
            self._kinds.add(kind)
        record.msg, record.args = printable(text)[:_LONGEST], ()
        record.throttle = kind if kind in self._kinds else ""
        return True


class _Kinds(LogLimits):
    """Limits by the mark alone, since the text differs each time."""

    def key(self, record: logging.LogRecord) -> tuple[str, str, str]:
        """Return the kind of a record."""
        return "", "", str(getattr(record, "throttle", ""))


def to_stderr() -> None:
    """Send the broker's warnings to stderr, one line each."""
    handler = logging.StreamHandler()
    handler.addFilter(_DropSpans())
    handler.addFilter(_Kinds(handler.emit))
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    logging.getLogger(_ROUTER).setLevel(logging.CRITICAL)
