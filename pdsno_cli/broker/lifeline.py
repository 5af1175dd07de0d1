"""Ends a process when its parent is gone: PR_SET_PDEATHSIG on Linux, a pipe elsewhere."""

from __future__ import annotations

import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def hold(parent: int) -> None:
    """Tie this process to ``parent``, who made it and holds the other end of its stdin.

    On Linux the kernel ends it when the thread that made it ends, so that thread must live as
    long as the process is wanted.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call above
            os._exit(0)
    else:
        threading.Thread(target=_until_closed, name="lifeline", daemon=True).start()


def _until_closed() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
