"""One controller as sender and receiver of streams, and the events that it publishes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Event
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pdsno_cli.delivery.live_topology import LiveTopology
    from pdsno_cli.delivery.ports import Scheduler, Watcher
    from pdsno_cli.delivery.publisher import Publisher
    from pdsno_cli.nib.store import Store
    from pdsno_cli.spec.topology import Controller as Spec
    from pdsno_cli.spec.topology import Topology

Severity = Literal["info", "warning", "error"]
Detail = str | int | float | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One controller, its store, and what carries, schedules and observes its work.

    Topology and spec are those in force now: they may be others at the next look.
    """

    controller_id: str
    live: LiveTopology
    store: Store
    publisher: Publisher
    scheduler: Scheduler
    watcher: Watcher

    @property
    def topology(self) -> Topology:
        """The topology."""
        return self.live.topology

    @property
    def spec(self) -> Spec:
        """What the topology declares for this controller."""
        return self.live.topology.controllers[self.controller_id]


def events_topic(endpoint: Endpoint) -> str:
    """Return the topic of a controller's own events: that of its region, or of the system."""
    return endpoint.topology.topics.events(endpoint.spec.region or SYSTEM)


def own_event(
    endpoint: Endpoint,
    event: str,
    severity: Severity,
    detail: Mapping[str, Detail],
    *,
    subject: str | None = None,
) -> Event:
    """Return an event about ``subject``, by default the controller itself."""
    return Event(
        event=event,
        severity=severity,
        subject=endpoint.spec.controller_id if subject is None else subject,
        region=endpoint.spec.region,
        detail={**detail},
    )


def announce(
    endpoint: Endpoint, event: Event, *, topic: str | None = None, answers: str | None = None
) -> None:
    """Publish an event durably, in a transaction of its own; see ``Unit.stage``."""
    with endpoint.publisher.unit() as unit:
        unit.stage(topic or events_topic(endpoint), event, answers=answers)
