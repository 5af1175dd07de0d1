"""The frozen topology that every layer above works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pdsno_cli.model.addresses import Address
from pdsno_cli.model.probes import DEFAULT_PROTOCOLS
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.model.transports import DEFAULT_FALLBACKS

DEFAULT_HEARTBEAT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS to the broker: paths of PEM files; an empty block uses the system's authorities."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The MQTT broker: embedded (started by ``up`` on loopback) or declared.

    ``addresses`` are those of a declared one, tried in turn. ``port`` is the embedded one's, 0 for
    a free one. ``kind`` is one of ``model.brokers``; ``queue`` messages are kept for a client that is
    away, for ``outage`` seconds at least; ``client_id_limit`` is in bytes. ``keepalive`` is in seconds, ``max_payload`` in bytes. ``username`` and ``password`` are as written: ``spec.secrets.resolve`` reads them.
    """

    embedded: bool = True
    addresses: tuple[Address, ...] = ()
    port: int = 0
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    keepalive: float = 30.0
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    max_payload: int = 1_048_576
    kind: str | None = None
    queue: int | None = None
    outage: float | None = None
    client_id_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """Limits of one stream's queue: messages, bytes, and the age of the oldest in seconds.

    A transport is suspect if a stream makes no progress for ``patience`` seconds.
    """

    messages: int = 10_000
    size: int = 67_108_864
    age: float = 86_400.0
    patience: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Which tables of a device are read beside its system group, and each how many seconds."""

    interval: float = 600.0
    interfaces: bool = True
    neighbours: bool = True
    forwarding: bool = False


AuthProtocol = Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"]
PrivacyProtocol = Literal["des", "3des", "aes", "aes192", "aes256", "aes192c", "aes256c"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnmpKey:
    """A protocol of SNMPv3 and its password as written."""

    protocol: AuthProtocol | PrivacyProtocol
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A community, or a user of SNMPv3 (RFC 3414); the community as written."""

    name: str | None = None
    community: str | None = None
    user: str | None = None
    auth: SnmpKey | None = None
    privacy: SnmpKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traps:
    """The UDP port on which a controller listens for SNMP notifications."""

    port: int = 162


@dataclass(frozen=True, slots=True, kw_only=True)
class Snmp:
    """SNMP settings; ``timeout`` is in seconds per try, ``community`` as written.

    ``credentials`` are tried in order; without any, the community is, else it is the first among
    them. ``details`` is None where no
    tables are read.
    """

    version: Literal["2c"] = "2c"
    community: str = "public"
    port: int = 161
    timeout: float = 1.0
    retries: int = 1
    details: Details | None = field(default_factory=Details)
    credentials: tuple[Credential, ...] = ()
    traps: Traps | None = None

    @property
    def tried(self) -> tuple[Credential, ...]:
        """The credentials in the order in which they are tried, one at least."""
        return self.credentials or (Credential(community=self.community),)

    @property
    def communities(self) -> tuple[str, ...]:
        """The communities among them."""
        return tuple(item.community for item in self.tried if item.community is not None)

    @property
    def rounds(self) -> int:
        """The rounds of tries on a silent address: one a community, one for all users of SNMPv3."""
        return len(self.communities) + (len(self.communities) < len(self.tried))

    def label(self, position: int) -> str | None:
        """Return how a credential is called where it is reported: its name, else its number.

        None where the file declares no list.
        """
        if not self.credentials:
            return None
        return self.credentials[position].name or str(position + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepTimeout:
    """Bounds in seconds of the timeout of ARP and ICMP; None: those of the protocol."""

    floor: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Discovery settings of a local controller.

    ``targets`` are address ranges as ``model.targets`` reads them (``10.0.0.0/24``,
    ``10.0.0.1-10.0.0.9``, ``10.0.0.7``), a prefix that is split among many already cut to this
    controller's share; ``exclude`` are ranges of the same form. ``interval`` is in seconds. ``rate`` is
    in packets a second of each protocol, None: that of the protocol. ``blackout`` are times as
    ``model.blackouts`` reads them, ``snmp_to`` is all or answering. ``mass_loss`` is the share of the
    devices that may become inactive in one cycle without being held back for another.
    """

    interval: float = 30.0
    protocols: tuple[str, ...] = DEFAULT_PROTOCOLS
    missed_cycles: int = 3
    mass_loss: float = 0.5
    targets: tuple[str, ...] = ()
    rate: int | None = None
    timeout: SweepTimeout = field(default_factory=SweepTimeout)
    exclude: tuple[str, ...] = ()
    blackout: tuple[str, ...] = ()
    snmp_to: str = "answering"
    snmp: Snmp = field(default_factory=Snmp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The policy that a region, or the whole network, declares; None leaves a key open."""

    scan_interval: float | None = None
    protocols: tuple[str, ...] | None = None
    missed_cycles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region and the policy that its regional controller publishes.

    ``prefixes`` contain the targets of its local controllers, as written; empty: any.
    """

    name: str
    policy: Policy = field(default_factory=Policy)
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One controller after ranges and defaults; ``key`` is the YAML key that it came from.

    ``heartbeat`` is in seconds. ``nib`` is the URL of its store's database as written
    (``spec.secrets.resolve_url`` reads it), None for an SQLite file in the state directory.
    ``address`` is where its HTTP receiver is reached, as host:port.
    """

    controller_id: str
    key: str
    role: Role
    region: str | None
    heartbeat: float = DEFAULT_HEARTBEAT
    discovery: Discovery = field(default_factory=Discovery)
    nib: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A private network of real responders; ``snmp`` of the ``devices`` answer SNMP.

    ``icmp`` of them answer echo in a namespace, None for all. ``recordings`` is a folder whose files the
    first agents play, ``ipv6`` a /64 in which each has an address in a namespace, too.
    """

    mode: Literal["loopback", "namespace"] = "loopback"
    devices: int
    snmp: int = 0
    icmp: int | None = None
    recordings: str | None = None
    ipv6: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One control plane that fits the schema; ``lint`` checks its meaning.

    ``fallbacks`` are the transports, best first; ``class_fallbacks`` those of single classes.
    ``signing_key`` is as written (``${ENV}`` or ``file:``), None for a key generated at the first ``up``.
    """

    path: str
    name: str
    description: str = ""
    broker: Broker = field(default_factory=Broker)
    topics: TopicMap = field(default_factory=TopicMap)
    fallbacks: tuple[str, ...] = DEFAULT_FALLBACKS
    outbox: OutboxLimits = field(default_factory=OutboxLimits)
    class_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    regions: Mapping[str, Region]
    controllers: Mapping[str, Controller]
    lab: Lab | None = None
    signing_key: str | None = None

    @property
    def folder(self) -> Path:
        """The folder that relative paths in the file start from."""
        return Path(self.path).parent

    def chain(self, name: str) -> tuple[str, ...]:
        """Return the transports that may carry a class of topics, best first."""
        return self.class_fallbacks.get(name, self.fallbacks)

    def uses(self, transport: str) -> bool:
        """Return True if a transport is in the chain of any class."""
        return transport in self.fallbacks or any(
            transport in chain for chain in self.class_fallbacks.values()
        )

    def of_role(self, role: Role, region: str | None = None) -> tuple[Controller, ...]:
        """Return the controllers of a role, of one region only where ``region`` is given."""
        return tuple(
            item
            for item in self.controllers.values()
            if item.role is role and (region is None or item.region == region)
        )
