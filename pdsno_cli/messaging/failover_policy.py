"""Decides which transport of a fallback chain is active; pure, given the clock.

The first transport of the chain that is up is active. A better one that comes back has to stay up
for a while before it is active again, longer each time that it flaps. One that is up and carried
nothing is shunned for a while, longer each time, unless no other is up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

GRACE = 0.5  # seconds that the best transport may be lost before the fallback starts
FIRST = 1.0  # seconds after the start to wait for the best transport, if it is untried
DAMPING = 3.0  # seconds that a better transport must stay up before it is active again
LONGEST_DAMPING = 15.0
SHUNNED = 20.0  # seconds for which a transport that carries nothing is passed over
LONGEST_SHUNNED = 300.0
HELD = 30.0  # seconds after a return within which a loss is a flap


@dataclass(slots=True)
class _Member:
    """One transport; ``since`` is when it came up or was lost, ``tried`` is set by any failure.

    It is passed over until ``shunned``, which lasted ``penalty`` seconds.
    """

    up: bool = False
    since: float = 0.0
    tried: bool = False
    shunned: float = 0.0
    penalty: float = 0.0


class Decision(NamedTuple):
    """The active transport, True to run the fallbacks, the time of the next decision."""

    active: str | None
    fallback: bool
    next_decision: float | None


class FailoverPolicy:
    """The state of one chain; ``order`` is best first."""

    def __init__(self, order: Sequence[str], now: float) -> None:
        self._order = tuple(order)
        self._members = {name: _Member(since=now) for name in order}
        self._started = now
        self._active: str | None = None
        self._returned: float | None = None
        self._damping = DAMPING

    def up(self, name: str, now: float) -> None:
        """Record that a transport is up."""
        member = self._members[name]
        member.up, member.since = True, now

    def down(self, name: str, now: float) -> None:
        """Record that a transport is lost, or failed to connect."""
        member = self._members[name]
        if member.up or not member.tried:
            member.since = now
        if name == self._order[0] and self._active == name and self._returned is not None:
            flapped = now - self._returned < HELD
            self._damping = min(2 * self._damping, LONGEST_DAMPING) if flapped else DAMPING
        member.up, member.tried = False, True

    def shun(self, name: str, now: float) -> float:
        """Pass a transport over that is up and carries nothing; return for how many seconds."""
        member = self._members[name]
        # It failed again soon after the last time.
        again = now < member.shunned + max(member.penalty, HELD)
        member.penalty = min(2 * member.penalty, LONGEST_SHUNNED) if again else SHUNNED
        member.shunned = now + member.penalty
        return member.penalty

    def shunned(self, name: str, now: float) -> bool:
        """Return True if a transport is passed over for now."""
        return now < self._members[name].shunned

    @property
    def transports_up(self) -> tuple[str, ...]:
        """The transports that are up, best first."""
        return tuple(name for name in self._order if self._members[name].up)

    def decide(self, now: float, *, above: Collection[str] | None) -> Decision:
        """Return what holds now.

        ``above`` names the transports that every parent has up, None if unknown or without parents:
        a return to one that a parent does not have up would cut this controller off.
        """
        up = self.transports_up
        ups = tuple(name for name in up if not self.shunned(name, now)) or up
        active = self._active if self._active in ups else None
        look: float | None = None
        untried = not self._members[self._order[0]].tried and not self._members[self._order[0]].up
        if active is None and ups:
            if untried and self._active is None and now < self._started + FIRST:
                look = self._started + FIRST
            else:
                active = ups[0]
        elif active is not None and ups[0] != active:
            best = self._members[ups[0]]
            if now < best.since + self._damping:
                look = best.since + self._damping
            elif above is not None and ups[0] not in above:
                look = now + DAMPING / 4  # the next answer of the parent may name it
            else:
                active = ups[0]
                self._returned = now
        self._active = active
        first = self._members[self._order[0]]
        fallback = False
        if len(self._order) > 1 and first.tried and not first.up:
            due = first.since + GRACE
            fallback = now >= due
            if not fallback:
                look = due if look is None else min(look, due)
        if len(self._order) > 1 and first.up and now < first.shunned:
            fallback = True
            look = first.shunned if look is None else min(look, first.shunned)
        return Decision(active, fallback or active not in (None, self._order[0]), look)
