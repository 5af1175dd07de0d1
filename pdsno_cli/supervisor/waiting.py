"""Waits for work of a run, unless the run is stopped first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


async def done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Return True once ``work`` is done, False when ``stop`` is set first: ``work`` is cancelled.

    What ``work`` raises is raised here.
    """
    done = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((done, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not done.done():
        done.cancel()
        return False
    done.result()
    return True
