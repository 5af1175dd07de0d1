"""The command that runs a module of this package as a process."""

from __future__ import annotations

import sys


def run_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` with this interpreter.

    ``-P`` keeps the working directory off ``sys.path``, so that a ``queue.py`` beside a topology is
    not imported. Every process of pdsno is started by this command.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
