"""A process that dies with its parent: PR_SET_PDEATHSIG of prctl(2), which only Linux has."""

from __future__ import annotations

import sys

_PR_SET_PDEATHSIG = 1

SUPPORTED = sys.platform == "linux"


def follow(signal_number: int) -> None:
    """Have the kernel send ``signal_number`` to this process when its parent dies."""
    if SUPPORTED:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
