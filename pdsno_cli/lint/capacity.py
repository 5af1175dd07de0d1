"""What a topology asks of its broker, its controllers and its networks, from the file alone.

The assumptions are here and nowhere else; ``docs/capacity.md`` gives them to the reader, and a test
compares the sizes with sealed messages. All rates are those of a steady plane: every discovery cycle
publishes one report, every report one acknowledgement, and a regional controller merges its reports
into at most one summary each. Policies, events and commands come when somebody acts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pdsno_cli.lint.common import addresses
from pdsno_cli.model.brokers import FACTS as BROKERS
from pdsno_cli.model.probes import FACTS as PROBES
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressRange
from pdsno_cli.model.topics import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pdsno_cli.spec.topology import Controller, Discovery, Topology

# Bytes of a message with its topic, envelope and signature.
BYTES: Mapping[str, int] = {
    "discovery": 1700,  # four changed devices: the report of docs/reliability.md, Speed
    "policy": 600,  # without targets
    "events": 560,
    "status": 560,
    "summary": 1900,  # the same four devices
    "ack": 460,
    "command": 480,
}
TARGET_BYTES = 8  # quotes, commas and brackets of an id or a target in a policy
FASTEST_SUMMARIES = 10.0  # a second: a regional controller gathers reports for 0.1 s
ON_LINK = 254  # devices that the /64 of a link is taken to have: as many as fit into a /24
SEGMENTS = 4 * 1024 * 1024  # bytes that the embedded broker keeps for a topic filter
DURABLE = tuple(name for name, item in CLASSES.items() if item.durable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """What the controllers of one key receive, each: messages a second by class, and bytes.

    ``queue`` are the messages that the broker keeps for one of them while it is away, ``lasts`` the
    seconds until they are that many; None if that is not known, or nothing arrives.
    """

    key: str
    count: int
    rates: Mapping[str, float]
    bytes: float
    queue: int | None
    lasts: float | None

    @property
    def rate(self) -> float:
        """Messages a second, of all classes."""
        return sum(self.rates.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The discovery cycle of one key's controller with the most addresses, if nobody answers.

    ``seconds`` is the time of the slowest protocol, ``least`` its time for a single address,
    ``interval`` that of the policy in force.
    """

    key: str
    protocol: str
    addresses: int
    seconds: float
    least: float
    interval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How long one stream of a key's controllers may wait before it is coalesced.

    ``lasts`` is in seconds, ``limit`` the key of ``outbox`` that ends it.
    """

    key: str
    stream: str
    rate: float
    lasts: float
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The figures of one topology; ``published`` are messages a second by class."""

    controllers: Mapping[str, int]
    published: Mapping[str, float]
    delivered: Mapping[str, float]
    consumers: tuple[Consumer, ...]
    retained: int
    retained_bytes: int
    sweeps: tuple[Sweep, ...]
    backlogs: tuple[Backlog, ...]


def capacity(topology: Topology) -> Capacity:
    """Return the figures of a topology; the cost is linear in its controllers."""
    plane = _Plane(topology)
    published: dict[str, float] = {}
    for controller in topology.controllers.values():
        for name, rate in plane.publishes(controller).items():
            published[name] = published.get(name, 0.0) + rate
    consumers = tuple(_consumer(plane, key, members) for key, members in _by_key(topology))
    delivered: dict[str, float] = {}
    for item in consumers:
        for name, rate in item.rates.items():
            delivered[name] = delivered.get(name, 0.0) + rate * item.count
    retained, size = _retained(topology)
    return Capacity(
        controllers={role.value: len(topology.of_role(role)) for role in Role},
        published=published,
        delivered=delivered,
        consumers=consumers,
        retained=retained,
        retained_bytes=size,
        sweeps=tuple(sweeps(topology)),
        backlogs=tuple(_backlogs(plane, topology)),
    )


def interval(topology: Topology, controller: Controller) -> float:
    """Return the seconds between two cycles: the region's policy, the topology's, its own."""
    region = topology.regions.get(controller.region or "")
    scopes = (None if region is None else region.policy, topology.policy)
    for policy in scopes:
        if policy is not None and policy.scan_interval is not None:
            return policy.scan_interval
    return controller.discovery.interval


def sweeps(topology: Topology) -> Iterable[Sweep]:
    """Yield the cycle of each key with targets: that of its controller with the most addresses."""
    for key, members in _by_key(topology):
        most = members[0]
        if most.role is not Role.LOCAL:
            continue
        number = count(most.discovery)
        for item in members[1:]:
            if (other := count(item.discovery)) > number:
                most, number = item, other
        protocols = protocols_of(topology, most)
        if number and protocols:
            pace = _pace(most.discovery)
            protocol, seconds = _slowest(protocols, number, pace)
            yield Sweep(
                key=key,
                protocol=protocol,
                addresses=number,
                seconds=seconds,
                least=sweep_time(protocol, 1, pace),
                interval=interval(topology, most),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPace:
    """What decides how long a sweep takes: see ``spec.topology.Discovery`` and ``Snmp``."""

    retries: int
    timeout: float
    rounds: int = 1
    rate: float | None = None
    ceiling: float | None = None


def _pace(discovery: Discovery) -> SweepPace:
    return SweepPace(
        retries=discovery.snmp.retries,
        timeout=discovery.snmp.timeout,
        rounds=discovery.snmp.rounds,
        rate=discovery.rate,
        ceiling=discovery.timeout.ceiling,
    )


@lru_cache(maxsize=1024)  # most controllers of a topology are alike
def _slowest(protocols: tuple[str, ...], number: int, pace: SweepPace) -> tuple[str, float]:
    """Return the protocol that takes longest for so many addresses, and its seconds."""
    times = {name: sweep_time(name, number, pace) for name in protocols}
    slowest = max(times, key=lambda name: times[name])
    return slowest, times[slowest]


def sweep_time(protocol: str, number: int, pace: SweepPace) -> float:
    """Return the seconds in which a protocol asks so many addresses, none of which answers."""
    facts = PROBES[protocol]
    rate = pace.rate or facts.rate
    if protocol == "snmp":
        tries, timeout, rounds = pace.retries + 1, pace.timeout, pace.rounds
    else:
        tries, timeout, rounds = facts.tries, pace.ceiling or facts.timeout, 1
    # Tries of one address are a timeout apart; meanwhile others are asked, at the same rate.
    sending = max(number * tries / rate, number / rate + (tries - 1) * timeout)
    return rounds * (sending + timeout)


def count(discovery: Discovery) -> int:
    """Return the number of addresses of all targets; the /64 of a link counts as a /24 does."""
    found = (addresses(target) for target in discovery.targets)
    return sum(
        ON_LINK if item.wide else item.size for item in found if isinstance(item, AddressRange)
    )


def queue(topology: Topology) -> int | None:
    """Return the messages that a declared broker keeps for a client; None if that is not known."""
    broker = topology.broker
    if broker.queue is not None or broker.kind is None:
        return broker.queue
    return BROKERS[broker.kind].queue


class _Plane:
    """The rates of one topology, by region."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.reports: defaultdict[str, float] = defaultdict(float)  # reports a second of a region
        self.beats: defaultdict[str, float] = defaultdict(
            float
        )  # heartbeats a second of a region's locals
        self.regionals: Counter[str] = Counter()
        self.top_beats = 0.0
        for item in topology.controllers.values():
            region = item.region or ""
            if item.role is Role.LOCAL:
                self.beats[region] += 1 / item.heartbeat
                if item.discovery.targets:
                    self.reports[region] += 1 / interval(topology, item)
            elif item.role is Role.REGIONAL:
                self.regionals[region] += 1
                self.top_beats += 1 / item.heartbeat

    def summaries(self, region: str) -> float:
        """Return the summaries a second of one regional controller."""
        return min(self.reports[region], FASTEST_SUMMARIES)

    def publishes(self, item: Controller) -> dict[str, float]:
        """Return what a controller publishes: messages a second by class."""
        region = item.region or ""
        found = {"status": 1 / item.heartbeat}
        if item.role is Role.LOCAL and item.discovery.targets:
            found["discovery"] = 1 / interval(self.topology, item)
        elif item.role is Role.REGIONAL:
            found["summary"] = self.summaries(region)
            found["ack"] = self.reports[region]
        elif item.role is Role.GLOBAL:
            found["ack"] = self._all_summaries()
        return found

    def receives(self, item: Controller) -> dict[str, float]:
        """Return what a controller subscribes to: messages a second by class."""
        region = item.region or ""
        if item.role is Role.GLOBAL:
            return {"summary": self._all_summaries(), "status": self.top_beats}
        if item.role is Role.REGIONAL:
            return {
                "discovery": self.reports[region],
                "status": self.beats[region],
                "ack": self.summaries(region),
            }
        own = 1 / interval(self.topology, item) if item.discovery.targets else 0.0
        return {"ack": own * self.regionals[region]}

    def _all_summaries(self) -> float:
        return sum(self.summaries(name) * number for name, number in self.regionals.items())


def _by_key(topology: Topology) -> list[tuple[str, list[Controller]]]:
    found: dict[str, list[Controller]] = {}
    for item in topology.controllers.values():
        found.setdefault(item.key, []).append(item)
    return list(found.items())


def protocols_of(topology: Topology, controller: Controller) -> tuple[str, ...]:
    """Return the protocols that a controller uses: those of a policy, else its own."""
    region = topology.regions.get(controller.region or "")
    scopes = (None if region is None else region.policy, topology.policy)
    for policy in scopes:
        if policy is not None and policy.protocols is not None:
            return policy.protocols
    return controller.discovery.protocols


def _consumer(plane: _Plane, key: str, members: list[Controller]) -> Consumer:
    topology = plane.topology
    rates = {name: rate for name, rate in plane.receives(members[0]).items() if rate}
    kept = {
        name: rate
        for name, rate in rates.items()
        if topology.topics.rule(name).qos and name != "ack"
    }
    arriving = sum(kept.values())
    held = queue(topology)
    if topology.broker.embedded and arriving:
        size = sum(rate * BYTES[name] for name, rate in kept.items()) / arriving
        held = int(SEGMENTS / size)
    return Consumer(
        key=key,
        count=len(members),
        rates=rates,
        bytes=sum(rate * BYTES[name] for name, rate in rates.items()),
        queue=held if arriving else None,
        lasts=held / arriving if held is not None and arriving else None,
    )


def _retained(topology: Topology) -> tuple[int, int]:
    """Return the number of retained messages, and their bytes."""
    served = {item.region for item in topology.of_role(Role.REGIONAL)}
    policies = 1 + sum(region in served for region in topology.regions)
    size = policies * BYTES["policy"]
    for item in topology.of_role(Role.LOCAL):
        if item.region in served:
            size += len(item.controller_id) + TARGET_BYTES
            size += sum(len(target) + TARGET_BYTES for target in item.discovery.targets)
    statuses = len(topology.controllers) if topology.topics.rule("status").retain else 0
    return policies + statuses, size + statuses * BYTES["status"]


def _backlogs(plane: _Plane, topology: Topology) -> Iterable[Backlog]:
    for key, members in _by_key(topology):
        for name, rate in plane.publishes(members[0]).items():
            if name in DURABLE and rate:
                yield backlog(topology, key, name, rate)


def backlog(topology: Topology, key: str, name: str, rate: float) -> Backlog:
    """Return how long a stream of ``rate`` messages a second may wait."""
    limits = topology.outbox
    lasts = {
        "messages": limits.messages / rate,
        "size": limits.size / (rate * BYTES[name]),
        "age": limits.age,
    }
    limit = min(lasts, key=lambda item: lasts[item])
    return Backlog(key=key, stream=name, rate=rate, lasts=lasts[limit], limit=limit)
