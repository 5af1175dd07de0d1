"""How a process of a run logs: one line a record, UTC, to stderr or to a file of bounded size.

A record may quote anything, so it is made printable and cut here, and here only;
``model.log_limits`` bounds how often it repeats. At SIGUSR1 a process logs the stack of each of its
threads, which shows what a stuck controller waits for.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from pdsno_cli.model.log_limits import LogLimits
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

FILE_LIMIT = 500_000  # bytes of a log; with the one before it, 1 MB
LONGEST = 2_000  # characters of a line
_LINES = 60  # of a traceback


class LineFormatter(logging.Formatter):
    """Time, level and message on one line; a traceback follows on indented ones."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        record.message = _cut(printable(record.message))
        return super().formatMessage(record)

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return a traceback, its last lines where it is long."""
        lines = super().formatException(ei).split("\n")
        if len(lines) > _LINES:
            lines = ["...", *lines[-_LINES:]]
        return "\n".join("  " + _cut(printable(line)) for line in lines)


class LogFile(logging.Handler):
    """Appends to a file, and rotates it at ``FILE_LIMIT`` bytes; one older file is kept as ``.1``.

    ``descriptors``, such as those of stdout and stderr, are redirected to the file, too. An error in
    writing it is ignored.
    """

    def __init__(self, path: Path, descriptors: tuple[int, ...] = ()) -> None:
        super().__init__()
        self._path = path
        self._descriptors = descriptors
        self._file = open_file(path)
        self._redirect()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            data = self.format(record).encode(errors="backslashreplace") + b"\n"
            # Its true size: what is written to the descriptors counts.
            if os.fstat(self._file).st_size + len(data) > FILE_LIMIT:
                self._begin_anew()
            os.write(self._file, data)
        except OSError:
            pass  # a full disk; the next record may fit
        except Exception:  # noqa: BLE001 - logging's own way: a record that cannot be formatted
            self.handleError(record)

    def fileno(self) -> int:
        """Return the descriptor of the newest file; it stays the same."""
        return self._file

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        super().close()

    def _begin_anew(self) -> None:
        rotate(self._path)
        new = open_file(self._path)
        os.dup2(new, self._file, inheritable=False)  # the number stays: faulthandler writes to it
        os.close(new)
        self._redirect()

    def _redirect(self) -> None:
        for descriptor in self._descriptors:
            os.dup2(self._file, descriptor)


def open_file(path: Path) -> int:
    """Open a log to append to, for its user alone; never through a symbolic link."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)


def rotate(path: Path) -> None:
    """Rename a log to ``.1``, replacing the one before."""
    path.replace(path.with_name(path.name + ".1"))


def log_to_stderr() -> None:
    """Send every record of this process to stderr."""
    handler = logging.StreamHandler()
    _log_to(handler)
    if handler.stream is not None:  # stderr may be closed
        faulthandler.register(signal.SIGUSR1, handler.stream)


def log_to_file(path: Path, *, output: bool = False) -> None:
    """Send every record of this process to a file, for its user alone.

    With ``output``, stdout and stderr of the process go there, too.
    """
    handler = LogFile(path, (1, 2) if output else ())
    _log_to(handler)
    faulthandler.register(signal.SIGUSR1, handler.fileno())


def file_logger(path: Path, *, output: bool = False) -> logging.Logger:
    """Return a logger to a file; records of other loggers do not go there.

    With ``output``, stdout and stderr of this process do.
    """
    logger = logging.getLogger("pdsno_cli.run")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_prepared(LogFile(path, (1, 2) if output else ())))
    return logger


def _log_to(handler: logging.Handler) -> None:
    _prepared(handler)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("asyncio", "scapy", "pysnmp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_of_thread


def _prepared(handler: logging.Handler) -> logging.Handler:
    """Set format and limits of a handler; return it."""
    handler.setFormatter(LineFormatter())

    def emit(record: logging.LogRecord) -> None:
        handler.acquire()
        try:
            handler.emit(record)
        finally:
            handler.release()

    handler.addFilter(LogLimits(emit))
    return handler


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical("ended by", exc_info=(kind, error, trace))


def _log_uncaught_of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        name = args.thread.name if args.thread is not None else "?"
        logging.getLogger(__name__).critical(
            "thread %s ended by", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback)
        )


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}... ({len(text) - LONGEST} characters more)"
