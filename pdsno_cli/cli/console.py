"""Writes all output: data to stdout, progress and failures to stderr, colour where supported."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic


WIDTH = 80  # columns where there is no terminal


def terminal(stream: TextIO | None) -> bool:
    """Return True if ``stream`` is a terminal and TERM is not dumb; None is a closed stream."""
    return stream is not None and os.environ.get("TERM") != "dumb" and stream.isatty()


def colour(stream: TextIO | None) -> bool:
    """Return True if ``stream`` is a terminal that shows colour and NO_COLOR is unset."""
    return terminal(stream) and not os.environ.get("NO_COLOR")


def width() -> int:
    """Return the columns of stdout: those of its terminal, or $COLUMNS, else 80."""
    return _size("COLUMNS", 0) or WIDTH


def height() -> int | None:
    """Return the lines of stdout's terminal, None where stdout is none."""
    return _size("LINES", 1) if terminal(sys.stdout) else None


def _size(variable: str, index: int) -> int | None:
    """Return a measure of the terminal; like shutil.get_terminal_size, of stdout as it is now."""
    named = os.environ.get(variable, "")
    if named.isdecimal() and int(named) > 0:
        return int(named)
    try:
        return os.get_terminal_size(sys.stdout.fileno())[index] or None
    except (AttributeError, OSError, ValueError):
        return None


def data(text: str) -> bool:
    """Print a result to stdout; return False if its reader has closed the pipe.

    Raises OperationError when it cannot be written for another reason.
    """
    if sys.stdout is None:
        raise OperationError("cannot write the output: stdout is closed")
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except OSError as exc:
        _unwritten(exc)
        return False
    return True


def document(format_version: int, topology: str, /, **members: Any) -> None:
    """Print a JSON document: its format version, the topology's name, then ``members``."""
    data(json.dumps({"format_version": format_version, "topology": topology, **members}, indent=2))


def clock(at: float) -> str:
    """Return a time, in Unix seconds, as local date and time of day, to the millisecond."""
    when = datetime.fromtimestamp(at).astimezone()
    return f"{when:%m-%d %H:%M:%S}.{when.microsecond // 1000:03}"


def flush() -> None:
    """Flush stdout; raises OperationError when it cannot be written."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as exc:
            _unwritten(exc)


def _unwritten(error: OSError) -> None:
    _silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):  # such as by head: the exit code stands
        raise OperationError(f"cannot write the output: {error.strerror}") from error


def progress(text: str) -> None:
    """Print a line to stderr; errors of a closed stderr are ignored."""
    if sys.stderr is not None:
        Unbroken(sys.stderr).write(text + "\n")


def message(text: str) -> None:
    """Print progress that may contain text from outside, without terminal control sequences."""
    progress(printable_lines(text))


class Unbroken(io.TextIOBase):
    """A text stream whose writes never fail: after an error it discards them.

    A run goes on when its output ends, as with ``head`` or a closed terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def isatty(self) -> bool:
        """Return True if the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write and flush."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            _silence(self._stream)
        return len(text)


def _silence(stream: TextIO) -> None:
    """Redirect a stream to /dev/null, or Python reports its unwritten buffer at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


# ASCII substitutes; any other character becomes "?".
_PLAIN = str.maketrans(
    {"├": "|", "└": "`", "│": "|", "─": "-", "·": "-", "…": ".", "→": ">", "←": "<", "—": "-"}
)


def encode_leniently() -> None:
    """Have stdout and stderr replace characters that their encoding lacks."""
    codecs.register_error("pdsno", _substitute)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="pdsno")


def _substitute(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(c if c.isascii() else "?" for c in text), error.end


def fail(text: str) -> None:
    """Print the reason of a failed command."""
    head = "\033[1;31merror:\033[0m" if colour(sys.stderr) else "error:"
    progress(f"{head} {printable_lines(text)}")


def findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Print the findings of an invalid topology."""
    from pdsno_cli.cli.report import full

    progress(full(diagnostics, colour=colour(sys.stderr)).rstrip("\n"))
