"""When to ping a broker, and when it has been silent for too long; pure but for the clock given.

The only proof of life is what is received: what we send may end in the buffer of a broker that
is frozen. So a ping is due after half a keepalive without a byte, whatever is being sent, and its
answer within nine tenths of one: a broker that falls silent is left within 1.4 keepalives.
"""

from __future__ import annotations

_QUIET = 0.5  # keepalives without a byte after which a ping is due
_ANSWER = 0.9  # keepalives within which it is answered
_OFTEN = 0.9  # keepalives after which a ping is due while much is heard: perhaps nothing is sent


class Silence:
    """The silence of one connection's broker. Times are in seconds on the monotonic clock."""

    def __init__(self, keepalive: float, now: float) -> None:
        self.keepalive = keepalive  # a broker of MQTT 5 may name another
        self._heard = now
        self._pinged = now
        self._waiting = False

    def heard(self, now: float) -> None:
        """Take note of bytes that came."""
        self._heard = now
        self._waiting = False

    def pinged(self, now: float) -> None:
        """Take note of a ping sent."""
        self._pinged = now
        self._waiting = True

    def next(self) -> float:
        """Return when to ping, or, with a ping under way, when to give up."""
        if self._waiting:
            return self._pinged + _ANSWER * self.keepalive
        return min(self._heard + _QUIET * self.keepalive, self._pinged + _OFTEN * self.keepalive)

    def ping_due(self, now: float) -> bool:
        """Whether to ping."""
        return not self._waiting and now >= self.next()

    def lost(self, now: float) -> bool:
        """Whether a ping has been without answer for too long."""
        return self._waiting and now >= self.next()
