"""How a module of this package is run as a process of its own."""

from __future__ import annotations

import sys


def run_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs ``module`` with this interpreter.

    ``-P`` keeps the working directory off ``sys.path``: a ``queue.py`` beside a topology is the
    user's, and none of our interpreters may import it. Every process of ours is started by this.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
