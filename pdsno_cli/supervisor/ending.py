"""Ends a run's children, tier by tier, within a bounded time whatever of it is stuck."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pdsno_cli.supervisor.child import Child
    from pdsno_cli.supervisor.spawner import Spawner

SILENCE = 6.0  # seconds, of all tiers together, in which no child ends: then they are killed
_LEAST = 0.5  # seconds that each tier has in any case


class Ending:
    """Stops children as wanted. Event-loop thread only.

    As long as children keep ending, they have time: a thousand of them take it. ``changes`` is set
    at every transition of a child.
    """

    def __init__(
        self,
        *,
        children: Mapping[str, Child],
        spawner: Spawner,
        changes: asyncio.Event,
        say: Callable[[str], None],
    ) -> None:
        self._children = children
        self._spawner = spawner
        self._changes = changes
        self._say = say
        self._left = SILENCE

    async def run(self, tiers: Iterable[Sequence[str]]) -> None:
        """End the children of each tier, then of the next; names that never started are skipped."""
        self._spawner.wake()  # who is stopped by a signal reports no end
        for names in tiers:
            await self._end([self._children[name] for name in names if name in self._children])

    async def _end(self, tier: Sequence[Child]) -> None:
        for child in tier:
            child.give_up()
            if self._spawner.withdraw(child.name):
                child.ended(None)
            self._spawner.signal(child.name, signal.SIGTERM)
            self._spawner.signal(child.name, signal.SIGCONT)  # stopped by hand, it would not hear
        patience = max(self._left / 2, _LEAST)
        if await self._ended(tier, patience):
            return
        self._left -= patience
        for child in tier:
            if child.alive and self._spawner.signal(child.name, signal.SIGKILL):
                self._say(f"{child.name} did not stop in time: killed")
        await self._ended(tier, _LEAST)

    async def _ended(self, tier: Sequence[Child], patience: float) -> bool:
        """Wait until all have ended; return False once nothing happened for ``patience``."""
        with contextlib.suppress(TimeoutError):
            while any(child.alive for child in tier):
                self._changes.clear()
                async with asyncio.timeout(patience):
                    await self._changes.wait()
        return not any(child.alive for child in tier)
