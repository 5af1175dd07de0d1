"""Where output goes: data to stdout, progress and failures to stderr, colour only where wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic


def colour(stream: TextIO) -> bool:
    """Whether ``stream`` shows colour: a terminal, no NO_COLOR, no TERM=dumb."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def data(text: str) -> None:
    """Print a result."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def progress(text: str) -> None:
    """Print what is going on."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def fail(text: str) -> None:
    """Print why a command failed."""
    sys.stdout.flush()
    head = "\033[1;31merror:\033[0m" if colour(sys.stderr) else "error:"
    progress(f"{head} {text}")


def findings(diagnostics: Sequence[Diagnostic]) -> None:
    """Print the findings that keep a topology from being run."""
    from pdsno_cli.cli.report import full

    progress(full(diagnostics, colour=colour(sys.stderr)).rstrip("\n"))
