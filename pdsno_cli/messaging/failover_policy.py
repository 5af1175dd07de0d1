"""Decides which link of a fallback chain carries; pure but for the clock it is given.

The first link of the chain that is up carries. A better one that comes back has to stay up for a
while before it carries again, longer each time that it flaps. One that is up but carried nothing is
shunned for a while, longer each time, unless nothing else is up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

GRACE = 0.5  # seconds that the best link may be lost before the fallback is got ready
FIRST = 1.0  # seconds from the start in which the best link, not yet tried, is waited for
DAMPING = 3.0  # seconds that a better link must stay up before it carries again
LONGEST_DAMPING = 15.0
SHUNNED = 20.0  # seconds for which a link that carries nothing is passed over
LONGEST_SHUNNED = 300.0
HELD = 30.0  # seconds after a return within which a loss is a flap


@dataclass(slots=True)
class _Link:
    """One link; ``since`` is when it came up or was lost, ``tried`` that it was lost or in vain.

    ``shunned`` is until when it is passed over, ``penalty`` for how long that was.
    """

    up: bool = False
    since: float = 0.0
    tried: bool = False
    shunned: float = 0.0
    penalty: float = 0.0


class Verdict(NamedTuple):
    """The active transport, whether to start the fallback, the time of the next decision."""

    active: str | None
    fallback: bool
    look_again: float | None


class FailoverPolicy:
    """The state of one chain. ``order`` is best first; those after the first may be started on demand."""

    def __init__(self, order: Sequence[str], now: float) -> None:
        self._order = tuple(order)
        self._links = {name: _Link(since=now) for name in order}
        self._started = now
        self._active: str | None = None
        self._returned: float | None = None
        self._damping = DAMPING

    def up(self, name: str, now: float) -> None:
        """Take note that a link is up."""
        link = self._links[name]
        link.up, link.since = True, now

    def down(self, name: str, now: float) -> None:
        """Take note that a link is lost, or was tried in vain."""
        link = self._links[name]
        if link.up or not link.tried:
            link.since = now
        if name == self._order[0] and self._active == name and self._returned is not None:
            flapped = now - self._returned < HELD
            self._damping = min(2 * self._damping, LONGEST_DAMPING) if flapped else DAMPING
        link.up, link.tried = False, True

    def shun(self, name: str, now: float) -> float:
        """Pass a link over that is up and carries nothing; return for how many seconds."""
        link = self._links[name]
        # Soon after it was given another chance, it is no better.
        again = now < link.shunned + max(link.penalty, HELD)
        link.penalty = min(2 * link.penalty, LONGEST_SHUNNED) if again else SHUNNED
        link.shunned = now + link.penalty
        return link.penalty

    def shunned(self, name: str, now: float) -> bool:
        """Return True if a link is passed over for now."""
        return now < self._links[name].shunned

    @property
    def links_up(self) -> tuple[str, ...]:
        """The links that are up, best first."""
        return tuple(name for name in self._order if self._links[name].up)

    def decide(self, now: float, *, above: Collection[str] | None) -> Verdict:
        """Return what is to be now.

        ``above`` names the links that the controller above has up, None where that is not known
        or nobody is above: to return to a link that it does not hear on would be to fall silent.
        """
        up = self.links_up
        ups = tuple(name for name in up if not self.shunned(name, now)) or up
        active = self._active if self._active in ups else None
        look: float | None = None
        untried = not self._links[self._order[0]].tried and not self._links[self._order[0]].up
        if active is None and ups:
            if untried and self._active is None and now < self._started + FIRST:
                look = self._started + FIRST
            else:
                active = ups[0]
        elif active is not None and ups[0] != active:
            best = self._links[ups[0]]
            if now < best.since + self._damping:
                look = best.since + self._damping
            elif above is not None and ups[0] not in above:
                look = now + DAMPING / 4  # what is above says so with its next answer
            else:
                active = ups[0]
                self._returned = now
        self._active = active
        first = self._links[self._order[0]]
        fallback = False
        if len(self._order) > 1 and first.tried and not first.up:
            due = first.since + GRACE
            fallback = now >= due
            if not fallback:
                look = due if look is None else min(look, due)
        if len(self._order) > 1 and first.up and now < first.shunned:
            fallback = True
            look = first.shunned if look is None else min(look, first.shunned)
        return Verdict(active, fallback or active not in (None, self._order[0]), look)
