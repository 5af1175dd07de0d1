"""Stops a run's children, tier by tier, within a bounded time whatever of it is stuck."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pdsno_cli.supervisor.child import Child
    from pdsno_cli.supervisor.runner import Runner

IDLE_LIMIT = 6.0  # seconds, summed over all tiers, in which no child ends: then they are killed
_LEAST = 0.5  # seconds that each tier has in any case


class Shutdown:
    """Stops children in order. Event-loop thread only.

    Only time in which no child ends counts: a thousand of them may take long. ``changes`` is set
    at every transition of a child.
    """

    def __init__(
        self,
        *,
        children: Mapping[str, Child],
        runner: Runner,
        changes: asyncio.Event,
        announce: Callable[[str], None],
    ) -> None:
        self._children = children
        self._runner = runner
        self._changes = changes
        self._announce = announce
        self._left = IDLE_LIMIT

    async def run(self, tiers: Iterable[Sequence[str]]) -> None:
        """Stop the children of each tier, then of the next; names that never started are skipped."""
        for names in tiers:
            await self._stop([self._children[name] for name in names if name in self._children])

    async def _stop(self, tier: Sequence[Child]) -> None:
        for child in tier:
            child.expect_end()
            self._runner.stop(child.name)
        idle = max(self._left / 2, _LEAST)
        if await self._ended(tier, idle):
            return
        self._left -= idle
        for child in tier:
            if child.alive and self._runner.kill(child.name):
                self._announce(f"{child.name} did not stop in time: killed")
        await self._ended(tier, _LEAST)

    async def _ended(self, tier: Sequence[Child], idle: float) -> bool:
        """Wait until all have ended; return False once none ended for ``idle`` seconds."""
        with contextlib.suppress(TimeoutError):
            while any(child.alive for child in tier):
                self._changes.clear()
                async with asyncio.timeout(idle):
                    await self._changes.wait()
        return not any(child.alive for child in tier)
