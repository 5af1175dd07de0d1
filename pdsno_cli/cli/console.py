"""Where output goes: data to stdout, progress and failures to stderr, colour only where wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from pdsno_cli.model.errors import OperationError

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
    # What is still held back must go somewhere, or Python complains about it at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):  # head has seen enough: the exit code stands
        raise OperationError(f"cannot write the output: {error.strerror}") from error


def progress(text: str) -> None:
    """Print what is going on."""
    if sys.stderr is not None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def fail(text: str) -> None:
    """Print why a command failed."""
    head = "\033[1;31merror:\033[0m" if colour(sys.stderr) else "error:"
    progress(f"{head} {text}")


def findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Print the findings that keep a topology from being run."""
    from pdsno_cli.cli.report import full

    progress(full(diagnostics, colour=colour(sys.stderr)).rstrip("\n"))
