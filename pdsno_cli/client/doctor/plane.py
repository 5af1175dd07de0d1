"""What a running plane really publishes: against the topic map, the file, and the clock."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.exchange import Exchange
from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.ids import unix_seconds
from pdsno_cli.model.messages import Status
from pdsno_cli.model.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdsno_cli.client.doctor.subject import Subject
    from pdsno_cli.model.messages import Envelope
    from pdsno_cli.spec.topology import Topology

_LONGEST = 12.0  # seconds to listen at most; a heartbeat and a half where that is shorter
_BEATS = 1.5
_SKEW = 2.0  # seconds that clocks may differ by without a word
_MOST_SKEW = 60.0
_NAMED = 3


def check_plane(subject: Subject) -> Iterator[Finding]:
    """Listen to everything below the root for a heartbeat and a half."""
    topology = subject.topology
    access = subject.access
    if access is None:
        return
    beats = [spec.heartbeat for spec in topology.controllers.values()]
    with Exchange(topology, access, (f"{topology.topics.root}/#",)) as exchange:
        if exchange.trouble is not None:
            yield Finding(check="traffic", verdict="skip", text=exchange.trouble)
            return
        live = subject.report is not None or exchange.wait(lambda: bool(exchange.arrivals))
        if live:
            exchange.wait(lambda: None, min(_BEATS * max(beats), _LONGEST))
        arrivals = list(exchange.arrivals)
        heard_at = time.time()
    if not live:
        yield Finding(check="traffic", verdict="skip", text="nothing of this topology is published")
        return
    opened, refused = _opened(subject, arrivals)
    if refused:
        kinds = ", ".join(f"{count} {why}" for why, count in refused.most_common())
        yield Finding(
            check="traffic",
            verdict="warn",
            text=f"{sum(refused.values())} messages would be refused: {kinds}",
            hint="pdsno tail shows them; another run with another key, or a stranger",
        )
    yield from _strays(topology, arrivals)
    yield from _heartbeats(topology, opened)
    yield from _clocks(opened, heard_at)


def _opened(
    subject: Subject, arrivals: Sequence[tuple[str, bytes, bool]]
) -> tuple[list[tuple[Envelope, bool]], Counter[str]]:
    """Return the verified messages, each with whether it was retained, and refusals by reason."""
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.runtime.acl import publish_acl
    from pdsno_cli.runtime.keys import signing_key

    topology = subject.topology
    refused: Counter[str] = Counter()
    found: list[tuple[Envelope, bool]] = []
    if topology.signing_key is None and not subject.state.key.exists():
        return found, refused  # check_keys says so
    with suppress(PdsnoError):
        key = signing_key(topology, subject.state)
        codec = Codec(key, topology.topics, topology.broker.max_payload, publish_acl(topology))
        for topic, data, retained in arrivals:
            try:
                found.append((codec.open(topic, data), retained))
            except RefusedError as exc:
                refused[exc.reason.value] += 1
    return found, refused


def _strays(topology: Topology, arrivals: Sequence[tuple[str, bytes, bool]]) -> Iterator[Finding]:
    """Find topics that no filter of a controller matches."""
    topics = {topic for topic, _, _ in arrivals}
    strays = sorted(topic for topic in topics if topology.topics.class_of(topic) is None)
    if strays:
        more = f" and {len(strays) - _NAMED} more" if len(strays) > _NAMED else ""
        yield Finding(
            check="filters",
            verdict="warn",
            text=f"nobody subscribes to {', '.join(strays[:_NAMED])}{more}",
            hint="another program uses this root: give it one of its own, or set topics.root",
        )
    else:
        text = f"all {len(topics)} topics that are in use are subscribed to"
        yield Finding(check="filters", verdict="ok", text=text)


def _heartbeats(topology: Topology, opened: Sequence[tuple[Envelope, bool]]) -> Iterator[Finding]:
    """Compare the controllers that are heard with those of the file."""
    states: dict[str, tuple[Status, bool]] = {}
    for envelope, retained in opened:
        if isinstance(envelope.payload, Status):
            states[envelope.sender_id] = envelope.payload, retained
    if not opened:
        return
    silent = [name for name in topology.controllers if name not in states]
    down = [n for n, (status, _) in states.items() if status.state == "death"]
    foreign = sorted(states.keys() - topology.controllers.keys())
    for names, text, hint in (
        (silent, "no status was ever heard of", "pdsno logs ID; pdsno restart ID"),
        (
            [n for n in down if n in topology.controllers],
            "down by their own status:",
            "pdsno status",
        ),
        (foreign, "not of this file:", "pdsno down of the file that has them, or an older file's"),
    ):
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield Finding(
                check="heartbeats",
                verdict="warn",
                text=f"{text} {', '.join(names[:_NAMED])}{more}",
                hint=hint,
            )
    if not silent and not down and not foreign:
        text = f"status of all {len(states)} controllers heard"
        yield Finding(check="heartbeats", verdict="ok", text=text)


def _clocks(opened: Sequence[tuple[Envelope, bool]], heard_at: float) -> Iterator[Finding]:
    """Compare the timestamps of live messages with this machine's clock.

    A message waited for at most as long as this listened, so only a clock ahead shows at once; one
    behind shows beyond that time.
    """
    ages: dict[str, float] = {}
    for envelope, retained in opened:
        at = unix_seconds(envelope.timestamp)
        if not retained and at is not None:
            age = heard_at - at
            if abs(age) < abs(ages.get(envelope.sender_id, float("inf"))):
                ages[envelope.sender_id] = age
    if not ages:
        yield Finding(check="clock", verdict="skip", text="no live message was heard")
        return
    off = {n: a for n, a in ages.items() if a < -_SKEW or a > _LONGEST + _SKEW}
    if not off:
        text = f"{len(ages)} controllers agree with this machine"
        yield Finding(check="clock", verdict="ok", text=text)
        return
    name = max(off, key=lambda item: abs(off[item]))
    ahead = "ahead of" if off[name] < 0 else "behind"
    yield Finding(
        check="clock",
        verdict="fail" if abs(off[name]) > _MOST_SKEW else "warn",
        text=f"{name} is {abs(off[name]):.0f} s {ahead} this machine",
        hint="synchronise the clocks (chrony, systemd-timesyncd)",
    )
