"""Ends a process with its parent: PR_SET_PDEATHSIG of prctl(2) on Linux, a pipe elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

SUPPORTED = sys.platform == "linux"


def _library() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


# Opened before any fork, so that children find it open.
_LIBC = _library() if SUPPORTED else None


def follow(number: signal.Signals) -> None:
    """Have the kernel send a signal to this process when the thread that forked it ends.

    Does nothing unless ``SUPPORTED``.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def exit_with_parent(parent: int, number: signal.Signals) -> None:
    """End this process with ``parent``, which holds the other end of its stdin."""
    if SUPPORTED:
        follow(number)
        if os.getppid() != parent:  # it ended before the call above
            os._exit(0)
    else:
        threading.Thread(target=_until_closed, name="parent", daemon=True).start()


def _until_closed() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
