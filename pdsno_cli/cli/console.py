"""Where output goes: data to stdout, progress and failures to stderr, colour only where wanted."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic


def terminal(stream: TextIO | None) -> bool:
    """Whether ``stream`` can be drawn on: a terminal, no TERM=dumb; None where it is closed."""
    return stream is not None and os.environ.get("TERM") != "dumb" and stream.isatty()


def colour(stream: TextIO | None) -> bool:
    """Whether ``stream`` shows colour: as ``terminal``, and no NO_COLOR."""
    return terminal(stream) and not os.environ.get("NO_COLOR")


def data(text: str) -> bool:
    """Print a result; whether anybody still reads. OperationError when it cannot be written."""
    if sys.stdout is None:
        raise OperationError("cannot write the output: it is closed")
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except OSError as exc:
        _unwritten(exc)
        return False
    return True


def flush() -> None:
    """Write what a library printed; OperationError when it cannot be written."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as exc:
            _unwritten(exc)


def _unwritten(error: OSError) -> None:
    _silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):  # head has seen enough: the exit code stands
        raise OperationError(f"cannot write the output: {error.strerror}") from error


def progress(text: str) -> None:
    """Print what is going on. Where nobody reads it any more, that is only silence."""
    if sys.stderr is not None:
        Unbroken(sys.stderr).write(text + "\n")


def said(text: str) -> None:
    """Print, as progress, what may hold words from outside: nothing a terminal would act upon."""
    progress(printable_lines(text))


class Unbroken(io.TextIOBase):
    """A text stream that never fails: once it cannot be written to, it is silent.

    What a run prints must not keep it from what it does: ``head`` ends, terminals are closed.
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
    """Send what is held back, and all that follows, nowhere; else Python complains at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


# What an encoding without them can show instead; anything else becomes "?".
_PLAIN = str.maketrans(
    {"├": "|", "└": "`", "│": "|", "─": "-", "·": "-", "…": ".", "→": ">", "←": "<", "—": "-"}
)


def encode_leniently() -> None:
    """Have stdout and stderr print what their encoding can, and something like it for the rest."""
    codecs.register_error("pdsno", _substitute)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="pdsno")


def _substitute(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(c if c.isascii() else "?" for c in text), error.end


def fail(text: str) -> None:
    """Print why a command failed."""
    head = "\033[1;31merror:\033[0m" if colour(sys.stderr) else "error:"
    progress(f"{head} {printable_lines(text)}")


def findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Print the findings that keep a topology from being run."""
    from pdsno_cli.cli.report import full

    progress(full(diagnostics, colour=colour(sys.stderr)).rstrip("\n"))
