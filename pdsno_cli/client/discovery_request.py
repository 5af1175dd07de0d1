"""Tracks orders to discover, from the report that answers each to its commit; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import receives
from pdsno_cli.model.messages import Ack, Command, DiscoveryReport, Event
from pdsno_cli.nib.offsets import START, Offset

if TYPE_CHECKING:
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.spec.topology import Topology

DISCOVER = Command(order="discover")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The outcome of the order to one local controller.

    ``ordered`` is the time of the order in seconds on any clock; ``seconds`` the time from then to
    the commit, None until then; ``refused`` the reason of a refusal.
    """

    local_id: str
    region: str | None
    ordered: float
    cycle: int | None = None
    outcome: str | None = None
    new: int = 0
    updated: int = 0
    inactive: int = 0
    active: int | None = None
    seconds: float | None = None
    refused: str | None = None
    parts: set[Offset] = field(default_factory=set)
    end: Offset | None = None  # the number of the report's last part

    @property
    def done(self) -> bool:
        """Return True once the report is committed or the order refused."""
        return self.seconds is not None or self.refused is not None


class DiscoveryRequests:
    """The orders of one session, by message_id."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._acked: dict[str, Offset] = {}  # by stream, the last position known to be committed
        self.outcomes: dict[str, Outcome] = {}

    @property
    def done(self) -> bool:
        """Return True if every order is done."""
        return all(item.done for item in self.outcomes.values())

    def update(self, envelope: Envelope, now: float) -> None:
        """Update the outcomes with a message; ``now`` is on the clock of ``Outcome.ordered``."""
        payload = envelope.payload
        answered = self.outcomes.get(envelope.correlation_id or "")
        if isinstance(payload, Ack):
            if receives(self._topology, envelope.sender_id, payload.stream):
                place = Offset(payload.epoch, payload.seq)
                self._acked[payload.stream] = max(place, self._acked.get(payload.stream, START))
        elif answered is None or answered.local_id != envelope.sender_id:
            return
        elif isinstance(payload, DiscoveryReport):
            _count(answered, payload, Offset(envelope.epoch, envelope.seq))
        elif isinstance(payload, Event) and payload.event == "command_refused":
            answered.refused = str(payload.detail.get("why", "refused"))
        for item in self.outcomes.values():
            if item.seconds is None and self._committed(item):
                item.seconds = now - item.ordered

    def _committed(self, item: Outcome) -> bool:
        topics = self._topology.topics
        stream = topics.stream(topics.discovery(item.region or "", item.local_id))
        return item.end is not None and item.end <= self._acked.get(stream, START)


def _count(outcome: Outcome, report: DiscoveryReport, place: Offset) -> None:
    """Count one part of a report; a repetition is ignored."""
    if place in outcome.parts:
        return
    outcome.parts.add(place)
    outcome.new += len(report.new)
    outcome.updated += len(report.updated)
    outcome.inactive += len(report.inactive)
    outcome.cycle, outcome.outcome, outcome.active = report.cycle, report.outcome, report.active
    if not report.more:
        outcome.end = place
