"""When to send a PINGREQ, and when a broker has been silent for too long; pure, given the clock.

Only received bytes prove that a broker is alive: what is sent may end in the socket buffer of a
frozen one. So a ping is due after half a keepalive without received bytes, whatever is being sent,
and its answer within nine tenths of one: a silent broker is left within 1.4 keepalives.
"""

from __future__ import annotations

_IDLE = 0.5  # keepalives without received bytes after which a ping is due
_ANSWER = 0.9  # keepalives within which it is answered
_BUSY = 0.9  # keepalives after which a ping is due though bytes arrive: perhaps none are sent


class Keepalive:
    """The keepalive of one connection. Times are in seconds on the monotonic clock."""

    def __init__(self, seconds: float, now: float) -> None:
        self.seconds = seconds  # an MQTT 5 broker may set another value
        self._received = now
        self._pinged = now
        self._awaiting = False

    def received(self, now: float) -> None:
        """Record that bytes arrived."""
        self._received = now
        self._awaiting = False

    def ping_sent(self, now: float) -> None:
        """Record that a ping was sent."""
        self._pinged = now
        self._awaiting = True

    def deadline(self) -> float:
        """Return when to ping or, with a ping under way, when to give up."""
        if self._awaiting:
            return self._pinged + _ANSWER * self.seconds
        return min(self._received + _IDLE * self.seconds, self._pinged + _BUSY * self.seconds)

    def ping_due(self, now: float) -> bool:
        """Return True if a ping should be sent."""
        return not self._awaiting and now >= self.deadline()

    def expired(self, now: float) -> bool:
        """Return True if a ping has been unanswered for too long."""
        return self._awaiting and now >= self.deadline()
