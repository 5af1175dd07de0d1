"""A clock and a scheduler of the test's own: time passes when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class Call:
    """A call that is made once, unless cancelled."""

    at: float
    work: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Holds the scheduled calls and makes them, in order, when their time comes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._calls: list[Call] = []

    def monotonic(self) -> float:
        return self.now

    def after(self, seconds: float, work: Callable[[], None]) -> Call:
        self._calls.append(Call(self.now + seconds, work))
        return self._calls[-1]

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [call for call in self._calls if call.at <= end]:
            call = min(due, key=lambda one: one.at)
            self._calls.remove(call)
            self.now = max(self.now, call.at)
            if not call.cancelled:
                call.work()
        self.now = end
