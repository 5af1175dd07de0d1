"""Limits repetitions in the log: once a minute for records that external input can cause.

A module marks such a record, and needs nothing else::

    log.warning("refused on %s: %s", topic, why, extra=throttled(reason.value))

``LogLimits`` is a ``logging.Filter`` of the handlers that ``runtime.logs`` and the broker's process
install. A record's kind is the logger's name, the format string and the argument of the mark. In a
minute one record of each kind passes if it is marked or a library's, and ``_OWN`` of our other
records. Suppressed records are counted, and the last one is logged with the count at the end of the
minute.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PERIOD = 60.0  # seconds
_OWN = 30  # unmarked records of one kind in that time
_KINDS = 256  # most kinds that are tracked; the argument of a mark should be from a small set
_PACKAGE = "pdsno_cli"


def throttled(kind: str = "") -> dict[str, str]:
    """Return the mark of a record that external input can cause, to be passed as ``extra``.

    ``kind`` distinguishes records of one format string, for example by the reason of a refusal.
    """
    return {"throttle": kind}


@dataclass(slots=True)
class _Kind:
    """Records of one kind in the current minute."""

    since: float
    passed: int = 0
    suppressed: int = 0
    last: logging.LogRecord | None = None


class LogLimits(logging.Filter):
    """Drops a record if enough of its kind passed in the current period. Any thread.

    ``emit`` handles the records with the counts of suppressed ones, on a thread of its own.
    """

    def __init__(self, emit: Callable[[logging.LogRecord], object], period: float = PERIOD) -> None:
        super().__init__()
        self._emit = emit
        self._period = period
        self._kinds: dict[tuple[str, str, str], _Kind] = {}
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if a record is to be written."""
        own = not hasattr(record, "throttle") and (record.name + ".").startswith(_PACKAGE + ".")
        key = self.key(record)
        with self._lock:
            now = time.monotonic()
            kind = self._kinds.get(key)
            if kind is None or now - kind.since >= self._period:
                self._expire(key)
                kind = self._kinds[key] = _Kind(now)
                while len(self._kinds) > _KINDS:
                    self._expire(next(iter(self._kinds)))
            if kind.passed < (_OWN if own else 1):
                kind.passed += 1
                return True
            kind.suppressed += 1
            kind.last = record
            if self._timer is None:
                self._set_timer()
            return False

    def key(self, record: logging.LogRecord) -> tuple[str, str, str]:
        """Return the kind of a record."""
        return record.name, str(record.msg), getattr(record, "throttle", "")

    def _set_timer(self) -> None:
        self._timer = threading.Timer(self._period, self._on_timer)
        self._timer.daemon = True
        self._timer.start()

    def _on_timer(self) -> None:
        with self._lock:
            self._timer = None
            now = time.monotonic()
            for key, kind in list(self._kinds.items()):
                if now - kind.since >= self._period:
                    self._expire(key)
            if any(kind.suppressed for kind in self._kinds.values()):
                self._set_timer()

    def _expire(self, key: tuple[str, str, str]) -> None:
        """Forget a kind, and log how many of its records were suppressed."""
        kind = self._kinds.pop(key, None)
        if kind is None or kind.last is None:
            return
        record = logging.makeLogRecord(kind.last.__dict__)
        record.msg = (
            f"{kind.last.getMessage()} [{kind.suppressed} of this kind in {self._period:g} s]"
        )
        record.args = ()
        record.exc_info = record.exc_text = None
        self._emit(record)
