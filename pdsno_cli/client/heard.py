"""What a plane tells over its broker, for a machine without its supervisor and its stores.

A retained status is no proof of life: a controller is *alive* once a heartbeat of it arrives, *silent*
if none does for one and a half of its heartbeats, *down* if its last status is its death. *Unknown* is
one without any status.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.messages import Ack, Event, PolicyDocument, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pdsno_cli.messaging.transport import Arrival
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_BEATS = 1.5  # heartbeats to listen for
_LONGEST = 60.0  # seconds to listen at most
_REPEAT = 1.0  # seconds within which what is retained arrives

Level = Literal["alive", "silent", "down", "unknown"]


@dataclass(slots=True, kw_only=True)
class HeardController:
    """What was heard of one controller; ``at`` is its clock's time of the last status (RFC 3339)."""

    controller_id: str
    role: str
    region: str | None
    status: Status | None = None
    epoch: int | None = None
    at: str | None = None
    live: bool = False

    @property
    def level(self) -> Level:
        """How alive it is, as far as can be heard."""
        if self.status is None:
            return "unknown"
        if self.status.state == "death":
            return "down"
        return "alive" if self.live else "silent"


@dataclass(slots=True, kw_only=True)
class HeardStream:
    """The last offset heard of one stream: published by its sender, acknowledged by a receiver."""

    sender: str
    stream: str
    published: tuple[int, int] | None = None
    receiver: str | None = None
    acknowledged: tuple[int, int] | None = None


@dataclass(kw_only=True)
class Heard:
    """All that was heard; pure but for ``listen``."""

    topology: Topology
    controllers: dict[str, HeardController] = field(default_factory=dict)
    policies: dict[str, PolicyDocument] = field(default_factory=dict)
    applied: dict[tuple[str, str], int] = field(default_factory=dict)
    streams: dict[tuple[str, str], HeardStream] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for spec in self.topology.controllers.values():
            name = spec.controller_id
            self.controllers[name] = HeardController(
                controller_id=name, role=spec.role.value, region=spec.region
            )

    def add(self, envelope: Envelope, *, retained: bool) -> None:
        """Note a verified message; a ``retained`` one was stored before."""
        match envelope.payload:
            case Status() as status:
                self._status(envelope, status, retained=retained)
            case PolicyDocument() as document:
                known = self.policies.get(document.scope)
                if known is None or known.version <= document.version:
                    self.policies[document.scope] = document
            case Event(event="policy_applied") as event:
                version = event.detail.get("version")
                if isinstance(version, int):
                    self.applied[event.subject, str(event.detail.get("scope"))] = version
            case Ack() as ack:
                self._ack(envelope, ack)
        if envelope.stream.partition("/")[0] in ("discovery", "summary") and not retained:
            stream = self._stream(envelope.sender_id, envelope.stream)
            offset = (envelope.epoch, envelope.seq)
            stream.published = max(stream.published or offset, offset)

    def _status(self, envelope: Envelope, status: Status, *, retained: bool) -> None:
        known = self.controllers.get(envelope.sender_id)
        if known is None or (known.epoch is not None and envelope.epoch < known.epoch):
            return  # of another file, or of an earlier start
        if (
            status.state == "death"
            and known.status is not None
            and known.epoch == envelope.epoch
            and status.connection < known.status.connection
        ):
            return  # the will of a connection that it has replaced
        known.live = not retained and status.state != "death"
        known.status, known.epoch, known.at = status, envelope.epoch, envelope.timestamp

    def _ack(self, envelope: Envelope, ack: Ack) -> None:
        topics = self.topology.topics
        sender = topics.owner(f"{topics.root}/{ack.stream}")
        if sender is None or ack.stream.partition("/")[0] not in ("discovery", "summary"):
            return
        stream = self._stream(sender, ack.stream)
        offset = (ack.epoch, ack.seq)
        if stream.acknowledged is None or offset >= stream.acknowledged:
            stream.acknowledged, stream.receiver = offset, envelope.sender_id

    def _stream(self, sender: str, stream: str) -> HeardStream:
        return self.streams.setdefault((sender, stream), HeardStream(sender=sender, stream=stream))

    @property
    def well(self) -> bool:
        """Return True if every controller of the file is alive."""
        return all(item.level == "alive" for item in self.controllers.values())

    @property
    def over(self) -> bool:
        """Return True if the plane is not up: no controller was heard of that was not stopped."""
        return all(_is_over(item) for item in self.controllers.values())

    @property
    def complete(self) -> bool:
        """Return True if no controller has to be waited for."""
        return all(item.level in ("alive", "down") for item in self.controllers.values())


def _is_over(item: HeardController) -> bool:
    """Return True if a controller was never heard of, or was stopped by an order."""
    stopped = item.level == "down" and item.status is not None and item.status.reason == "stop"
    return item.level == "unknown" or stopped


def listening_time(topology: Topology) -> float:
    """Return for how many seconds one has to listen to hear every heartbeat."""
    beats = [spec.heartbeat for spec in topology.controllers.values()]
    return min(_BEATS * max(beats, default=1.0) + _REPEAT, _LONGEST)


def listen(
    topology: Topology,
    state: StateDir,
    classes: Iterable[str],
    on_trouble: Callable[[str], None],
    *,
    whole: bool = False,
) -> Heard:
    """Listen to status and ``classes`` until every controller is heard, or for as long as that takes.

    ``whole`` listens for that time in any case. Raises UsageError for an embedded broker, and if no
    controller was ever heard, BrokerError when the broker cannot be reached.
    """
    from pdsno_cli.client.session import listening_session
    from pdsno_cli.model.refusals import RefusedError

    if topology.broker.embedded:
        raise UsageError(f"{topology.name} is not up on this machine: start it with pdsno up")
    if topology.signing_key is None and not state.key.exists():
        raise UsageError(
            f"{topology.name} is not up on this machine, and without its key nothing can be verified: "
            "start it with pdsno up, or declare the signing_key that it uses elsewhere"
        )
    root = topology.topics.root
    filters = tuple(f"{root}/{name}/#" for name in ("status", *classes))
    heard = Heard(topology=topology)
    began = time.monotonic()
    limit = listening_time(topology)
    on_trouble(
        f"no supervisor of {topology.name} here: listening to its broker, up to {limit:.0f} s"
    )
    with listening_session(topology, state, filters, on_trouble) as operator:

        def add(arrival: Arrival) -> None:
            with suppress(RefusedError):
                heard.add(operator.open(arrival.topic, arrival.data), retained=arrival.retained)

        for arrival in operator.arrivals(time.monotonic() + _REPEAT):  # what is retained
            add(arrival)
        if whole or not heard.complete:
            for arrival in operator.arrivals(began + limit):
                add(arrival)
                if heard.complete and not whole:
                    break
    if heard.over:
        where = " or ".join(str(address) for address in topology.broker.addresses)
        raise UsageError(
            f"{topology.name} is not up: none of its controllers is heard at broker {where}, or all "
            "were stopped; start it with pdsno up, or pdsno controller run where each belongs"
        )
    return heard
