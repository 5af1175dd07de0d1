"""Tracks orders to discover, from the report that answers each to its commit; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import receives
from pdsno_cli.model.messages import Ack, Command, DiscoveryReport, Event, Status
from pdsno_cli.model.probe_warnings import probe_warning
from pdsno_cli.nib.offsets import START, Offset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.spec.topology import Controller, Topology

DISCOVER = Command(order="discover")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The outcome of the order to one local controller.

    ``ordered`` is the time of the order in seconds on any clock, None until then; ``seconds`` the time
    from then to the commit, None until then; ``refused`` the reason of a refusal, ``absent`` why it
    was not ordered; ``warning`` is about the report's probes.
    """

    local_id: str
    region: str | None
    ordered: float | None = None
    cycle: int | None = None
    outcome: str | None = None
    new: int = 0
    updated: int = 0
    inactive: int = 0
    active: int | None = None
    seconds: float | None = None
    refused: str | None = None
    absent: str | None = None
    warning: str | None = None
    parts: set[Offset] = field(default_factory=set)
    end: Offset | None = None  # the number of the report's last part

    @property
    def done(self) -> bool:
        """Return True once the report is committed, the order refused, or no answer can come."""
        return self.seconds is not None or self.refused is not None or self.absent is not None


class DiscoveryRequests:
    """The orders of one session to ``controllers``, whose outcomes are by local controller.

    A controller is ordered once its status, which is retained, shows that it is online: before its
    birth it has subscribed to nothing, and the order would be lost.
    """

    def __init__(self, topology: Topology, controllers: Iterable[Controller]) -> None:
        self._topology = topology
        self._acked: dict[str, Offset] = {}  # by stream, the last position known to be committed
        self._status: dict[str, Status] = {}  # the last one of each sender
        self._ordered: dict[str, str] = {}  # local controllers by the message_id of their order
        self.outcomes = {
            spec.controller_id: Outcome(local_id=spec.controller_id, region=spec.region)
            for spec in controllers
        }

    @property
    def done(self) -> bool:
        """Return True if every order is done."""
        return all(item.done for item in self.outcomes.values())

    def due(self) -> list[str]:
        """Return the controllers that are online and have no order yet."""
        return [
            name
            for name, item in self.outcomes.items()
            if item.ordered is None
            and not item.done
            and name in self._status
            and self._status[name].state != "death"
        ]

    def ordered(self, local_id: str, message_id: str, now: float) -> None:
        """Note the order to a controller; ``now`` is on any clock."""
        self._ordered[message_id] = local_id
        self.outcomes[local_id].ordered = now

    def give_up_absent(self) -> list[str]:
        """Give up controllers that stopped, or have no status.

        One that is down may come back: it is still waited for. Return a line for each of those.
        """
        lines = []
        for name, item in self.outcomes.items():
            status = self._status.get(name)
            if item.done or item.ordered is not None:
                continue
            if status is None:
                item.absent = "no status of it was received"
            elif status.reason == "stop":
                item.absent = "it was stopped"
            else:
                lines.append(f"{name} is down: waiting for it")
        return lines

    def update(self, envelope: Envelope, now: float) -> None:
        """Update the outcomes with a message; ``now`` is on the clock of ``Outcome.ordered``."""
        payload = envelope.payload
        local_id = self._ordered.get(envelope.correlation_id or "")
        if isinstance(payload, Status):
            self._status[envelope.sender_id] = payload
        elif isinstance(payload, Ack):
            if receives(self._topology, envelope.sender_id, payload.stream):
                place = Offset(payload.epoch, payload.seq)
                self._acked[payload.stream] = max(place, self._acked.get(payload.stream, START))
        elif local_id is None or local_id != envelope.sender_id:
            return
        elif isinstance(payload, DiscoveryReport):
            _count(self.outcomes[local_id], payload, Offset(envelope.epoch, envelope.seq))
        elif isinstance(payload, Event) and payload.event == "command_refused":
            self.outcomes[local_id].refused = str(payload.detail.get("why", "refused"))
        for item in self.outcomes.values():
            if item.ordered is not None and item.seconds is None and self._committed(item):
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
    outcome.warning = probe_warning(report.probes)
    outcome.cycle, outcome.outcome, outcome.active = report.cycle, report.outcome, report.active
    if not report.more:
        outcome.end = place
