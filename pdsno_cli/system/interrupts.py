"""Handlers of the signals that end a run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def on_interrupt(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Call ``act`` on the loop at each SIGTERM, SIGINT and SIGHUP.

    SIGINT and SIGHUP stay ignored if they were at the start: ``nohup`` ignores SIGHUP, and a shell
    without job control ignores SIGINT in background processes.
    """
    loop.add_signal_handler(signal.SIGTERM, act)
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, act)
