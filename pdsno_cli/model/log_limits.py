"""How often a log may say the same: once a minute, where strangers can cause it at will.

A module marks such a record, and need do nothing else::

    log.warning("refused on %s: %s", topic, why, extra=by_strangers(reason.value))

``LogLimits`` is a ``logging.Filter`` of the handlers that ``runtime.logs`` and the broker's process
install. It judges a record by its kind: the logger's name, the format string and what the mark
adds. Of the marked ones, and of those of any library, it lets one of a kind pass in a minute; of
our own others ``_OWN``. What it holds back is counted, and the count is told with one line of that
kind at the end of the minute.
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
_OWN = 30  # records of one kind in that time that are not marked
_KINDS = 256  # remembered at most; what a mark adds should come from a small set all the same
_PACKAGE = "pdsno_cli"


def by_strangers(kind: str = "") -> dict[str, str]:
    """Return the mark of a record that strangers can cause, to be passed as ``extra``.

    ``kind`` tells apart what one format string says, as by the reason of a refusal.
    """
    return {"stranger": kind}


@dataclass(slots=True)
class _Kind:
    """Records of one kind in the current minute."""

    since: float
    passed: int = 0
    held: int = 0
    last: logging.LogRecord | None = None


class LogLimits(logging.Filter):
    """Lets a record pass unless its kind has passed often enough. Any thread.

    ``tell`` handles the records that say how many were held back, on a thread of its own.
    """

    def __init__(self, tell: Callable[[logging.LogRecord], object], period: float = PERIOD) -> None:
        super().__init__()
        self._tell = tell
        self._period = period
        self._kinds: dict[tuple[str, str, str], _Kind] = {}
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is to be written."""
        own = not hasattr(record, "stranger") and (record.name + ".").startswith(_PACKAGE + ".")
        key = self.key(record)
        with self._lock:
            now = time.monotonic()
            kind = self._kinds.get(key)
            if kind is None or now - kind.since >= self._period:
                self._settle(key)
                kind = self._kinds[key] = _Kind(now)
                while len(self._kinds) > _KINDS:
                    self._settle(next(iter(self._kinds)))
            if kind.passed < (_OWN if own else 1):
                kind.passed += 1
                return True
            kind.held += 1
            kind.last = record
            if self._timer is None:
                self._set_timer()
            return False

    def key(self, record: logging.LogRecord) -> tuple[str, str, str]:
        """Return the kind of a record."""
        return record.name, str(record.msg), getattr(record, "stranger", "")

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
                    self._settle(key)
            if any(kind.held for kind in self._kinds.values()):
                self._set_timer()

    def _settle(self, key: tuple[str, str, str]) -> None:
        """Forget a kind, and tell how many of it were held back."""
        kind = self._kinds.pop(key, None)
        if kind is None or kind.last is None:
            return
        record = logging.makeLogRecord(kind.last.__dict__)
        record.msg = f"{kind.last.getMessage()} [{kind.held} of this kind in {self._period:g} s]"
        record.args = ()
        record.exc_info = record.exc_text = None
        self._tell(record)
