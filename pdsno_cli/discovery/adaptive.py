"""How long a sweep waits for an answer and how often it tries, judged by its own answers."""

from __future__ import annotations

ENOUGH = 8  # answers before their round-trip times count
MARGIN = 8.0  # times the largest round-trip time seen: bursts and busy hosts answer late
LOSSY = 0.01  # share of answers that came to a retry, from which on one more try pays
VERY_LOSSY = 0.10  # and from which on two


class AdaptiveTimeout:
    """The seconds to wait for an answer: ``max(floor, 8 x the largest round-trip time)``.

    The ceiling bounds it, and holds until eight targets have answered. Without a floor the timeout
    is fixed, and so are the tries::

        timeout = AdaptiveTimeout(ceiling=1.0, floor=0.05)
        timeout.answered(0.003, attempt=1)
        timeout.seconds, timeout.extra_tries
    """

    __slots__ = ("_answers", "_ceiling", "_floor", "_largest", "_late", "extra_tries", "seconds")

    def __init__(self, *, ceiling: float, floor: float | None) -> None:
        self._ceiling = ceiling
        self._floor = None if floor is None else min(floor, ceiling)
        self._answers = self._late = 0
        self._largest = 0.0
        self.seconds = ceiling
        self.extra_tries = 0

    @property
    def adapted(self) -> bool:
        """True once enough targets have answered."""
        return self._floor is not None and self._answers >= ENOUGH

    def answered(self, seconds: float, *, attempt: int) -> None:
        """Count an answer that came ``seconds`` after the last try, which was number ``attempt``.

        After a retry it may answer an earlier try: then ``seconds`` is too short, never too long.
        """
        self._answers += 1
        self._late += attempt > 1
        self._largest = max(self._largest, seconds)
        if self._floor is None or self._answers < ENOUGH:
            return
        self.seconds = min(max(self._floor, MARGIN * self._largest), self._ceiling)
        share = self._late / self._answers if self._late > 1 else 0.0
        self.extra_tries = (share >= LOSSY) + (share >= VERY_LOSSY)

    def answered_too_late(self) -> None:
        """Count the answer of a target that was given up: the timeout was too short; double it."""
        self.answered(2 * self.seconds / MARGIN, attempt=2)
