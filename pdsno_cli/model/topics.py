"""The one topic map: every class of topic, the messages it carries and who may use it.

Payload types, durability, subscriptions, sender checks, lint rules, drawings and documentation
derive from ``CLASSES``; docs/messages.md explains how to add one.
Names and filters follow MQTT 5.0 section 4.7 (the same as 3.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pdsno_cli.model.messages import (
    Ack,
    Command,
    DiscoveryReport,
    Event,
    Payload,
    PolicyDocument,
    Status,
    Summary,
)
from pdsno_cli.model.roles import Role

DEFAULT_ROOT = "pdsno"
MAX_TOPIC_BYTES = 65_535
SYSTEM = "system"  # the level of `events` that belongs to no region
GLOBAL = "global"  # the level of `policy` that belongs to no region
RESERVED_REGIONS = frozenset({SYSTEM, GLOBAL})
COMMAND_EXPIRY = 60  # seconds after which a command expires


class Party(Enum):
    """Who publishes or subscribes to a class of topic."""

    GLOBAL = "global"
    REGIONAL = "regional"
    LOCAL = "local"
    MONITORING = "monitoring"
    OPERATOR = "operator"


EVERY_CONTROLLER = (Party.GLOBAL, Party.REGIONAL, Party.LOCAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """The MQTT delivery of a class: quality of service 0, 1 or 2, and the retain flag."""

    qos: int
    retain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicClass:
    """One class of topics, and the one kind of message that it carries.

    ``name`` is the first level of each of ``patterns``, which are topic names below the root;
    ``{region}``, ``{lc_id}``, ``{rc_id}`` and ``{controller_id}`` stand for one level each.
    ``message_type`` names the kind on the wire and its schema, ``payload_type`` is its struct and
    ``payload`` describes it.

    Controllers of the role ``committed_by`` (a regional one: of the region that the topic names)
    commit each message once and in order, then acknowledge it; the sender stores and resends it
    until then. None: messages are not acknowledged, so the sender publishes important ones
    repeatedly. A broker drops a message that it could not deliver in ``expiry`` seconds (None:
    never).

    ``owned``: only the controller that is the last level of a topic may publish on it; otherwise
    ``{controller_id}`` is the recipient. The publishers of a ``watched`` class also subscribe to
    their own topics, to detect replaced messages. ``min_qos`` and ``retain`` are required of the
    class's rule, for the reason ``why``; None is free.
    """

    name: str
    patterns: tuple[str, ...]
    message_type: str
    payload_type: type[Payload]
    default: TopicRule
    publishers: tuple[Party, ...]
    subscribers: tuple[Party, ...]
    payload: str
    committed_by: Role | None = None
    expiry: int | None = None
    owned: bool = False
    watched: bool = False
    min_qos: int = 0
    retain: bool | None = None
    why: str = ""

    @property
    def durable(self) -> bool:
        """Return True if a receiver commits and acknowledges the messages."""
        return self.committed_by is not None

    @property
    def names_region(self) -> bool:
        """Return True if the level after the name is a region, at least in some topics."""
        return any(pattern.split("/")[1] == "{region}" for pattern in self.patterns)


CLASSES: Mapping[str, TopicClass] = {
    item.name: item
    for item in (
        TopicClass(
            name="discovery",
            patterns=("discovery/{region}/{lc_id}",),
            message_type="discovery_report",
            payload_type=DiscoveryReport,
            default=TopicRule(qos=1, retain=False),
            publishers=(Party.LOCAL,),
            subscribers=(Party.REGIONAL, Party.OPERATOR),
            payload="discovery report: new, updated and inactive devices",
            committed_by=Role.REGIONAL,
            owned=True,
            min_qos=1,
            retain=False,
            why="a report holds changes: if one is lost, the region's inventory is wrong; "
            "retained, an old change is delivered to every new subscriber",
        ),
        TopicClass(
            name="policy",
            patterns=("policy/global", "policy/{region}"),
            message_type="policy",
            payload_type=PolicyDocument,
            default=TopicRule(qos=1, retain=True),
            publishers=(Party.GLOBAL, Party.REGIONAL),
            subscribers=(Party.REGIONAL, Party.LOCAL, Party.OPERATOR),
            payload="policy document with a version that only rises",
            watched=True,
            min_qos=1,
            retain=True,
            why="a controller that connects later must still receive the policy in force",
        ),
        TopicClass(
            name="events",
            patterns=("events/system", "events/{region}"),
            message_type="event",
            payload_type=Event,
            default=TopicRule(qos=1, retain=False),
            publishers=EVERY_CONTROLLER,
            subscribers=(Party.GLOBAL, Party.MONITORING, Party.OPERATOR),
            payload="controller_down, policy_applied, anomalies",
            committed_by=Role.GLOBAL,
            min_qos=1,
            retain=False,
            why="an event happened once: it must not be lost, and retained it would be delivered again",
        ),
        TopicClass(
            name="status",
            patterns=("status/{controller_id}",),
            message_type="status",
            payload_type=Status,
            default=TopicRule(qos=0, retain=True),
            publishers=EVERY_CONTROLLER,
            subscribers=(Party.GLOBAL, Party.REGIONAL, Party.MONITORING, Party.OPERATOR),
            payload="birth, heartbeat, death (the will, QoS 1)",
            owned=True,
            retain=True,
            why="a new subscriber must see at once which controllers are online",
        ),
        TopicClass(
            name="summary",
            patterns=("summary/{region}/{rc_id}",),
            message_type="summary",
            payload_type=Summary,
            default=TopicRule(qos=1, retain=False),
            publishers=(Party.REGIONAL,),
            subscribers=(Party.GLOBAL,),
            payload="what changed in the region",
            committed_by=Role.GLOBAL,
            owned=True,
            min_qos=1,
            retain=False,
        ),
        TopicClass(
            name="ack",
            patterns=("ack/{controller_id}",),
            message_type="ack",
            payload_type=Ack,
            default=TopicRule(qos=1, retain=False),
            publishers=(Party.GLOBAL, Party.REGIONAL),
            subscribers=(*EVERY_CONTROLLER, Party.OPERATOR),
            payload="all up to seq is committed",
            min_qos=1,
            retain=False,
        ),
        TopicClass(
            name="command",
            patterns=("command/{controller_id}",),
            message_type="command",
            payload_type=Command,
            default=TopicRule(qos=1, retain=False),
            publishers=(*EVERY_CONTROLLER, Party.OPERATOR),
            subscribers=EVERY_CONTROLLER,
            payload="resend a stream, continue after a number, discover now, publish a policy",
            expiry=COMMAND_EXPIRY,
            min_qos=1,
            retain=False,
            why="a retained command is carried out again at every reconnect",
        ),
    )
}
MESSAGE_TYPES: Mapping[str, type[Payload]] = {
    item.message_type: item.payload_type for item in CLASSES.values()
}


def level_problem(text: str) -> str | None:
    """Return why ``text`` is not a valid level of a topic name, None if it is valid.

    MQTT 5.0 sections 1.5.4 and 4.7; a leading ``$`` is reserved for brokers.
    """
    if not text:
        return "is empty"
    for character, name in (("/", "/"), ("+", "+"), ("#", "#"), ("\0", "NUL")):
        if character in text:
            return f"contains {name!r}"
    if text.startswith("$"):
        return "starts with '$', which is reserved for brokers"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if size > MAX_TOPIC_BYTES:
        return f"has {size} bytes of UTF-8, more than {MAX_TOPIC_BYTES}"
    return None


def matches(topic_filter: str, topic: str) -> bool:
    """Return True if a topic name matches a filter with ``+`` and ``#`` (MQTT 5.0 section 4.7)."""
    wanted, given = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(given) or level not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMap:
    """The topics of one topology: the classes under a root, with the topology's rules."""

    root: str = DEFAULT_ROOT
    rules: Mapping[str, TopicRule] = field(default_factory=dict)

    def rule(self, name: str) -> TopicRule:
        """Return the rule in force for class ``name``."""
        return self.rules.get(name) or CLASSES[name].default

    def discovery(self, region: str, local_id: str) -> str:
        """Return the topic of a local controller's reports; ``+`` for all of a region."""
        return f"{self.root}/discovery/{region}/{local_id}"

    def policy(self, scope: str) -> str:
        """Return the topic of the policy of a region, or of ``global``."""
        return f"{self.root}/policy/{scope}"

    def events(self, scope: str) -> str:
        """Return the topic of the events of a region, or of ``system``."""
        return f"{self.root}/events/{scope}"

    def status(self, controller_id: str) -> str:
        """Return the topic of a controller's status; ``+`` for all."""
        return f"{self.root}/status/{controller_id}"

    def summary(self, region: str, regional_id: str) -> str:
        """Return the topic of a regional controller's summaries; ``+`` for all."""
        return f"{self.root}/summary/{region}/{regional_id}"

    def ack(self, controller_id: str) -> str:
        """Return the topic of the acknowledgements to a sender."""
        return f"{self.root}/ack/{controller_id}"

    def command(self, controller_id: str) -> str:
        """Return the topic of the commands to a controller."""
        return f"{self.root}/command/{controller_id}"

    def class_of(self, topic: str) -> TopicClass | None:
        """Return the class that declares ``topic``, None if the map has none."""
        levels = self._levels(topic)
        item = CLASSES.get(levels[0]) if levels else None
        if item is None:
            return None
        depths = {len(pattern.split("/")) for pattern in item.patterns}
        return item if len(levels) in depths else None

    def stream(self, topic: str) -> str:
        """Return the stream that a message on ``topic`` belongs to: the topic below the root."""
        return topic.removeprefix(f"{self.root}/")

    def of_stream(self, stream: str) -> str:
        """Return the topic of a stream."""
        return f"{self.root}/{stream}"

    def owner(self, topic: str) -> str | None:
        """Return the only controller that may publish on ``topic``, if its name has one."""
        item = self.class_of(topic)
        return topic.rsplit("/", 1)[1] if item is not None and item.owned else None

    def _levels(self, topic: str) -> list[str]:
        prefix = f"{self.root}/"
        return topic[len(prefix) :].split("/") if topic.startswith(prefix) else []


def publishers(item: TopicClass, scope: str | None) -> tuple[Party, ...]:
    """Return who publishes on a class for one scope: policy is split between two roles."""
    if item.name == "policy" and scope is not None:
        return (Party.GLOBAL,) if scope == GLOBAL else (Party.REGIONAL,)
    return item.publishers


def subscribers(item: TopicClass, scope: str | None) -> tuple[Party, ...]:
    """Return who subscribes to a class for one scope: a region's policy is for its locals."""
    if item.name == "policy" and scope is not None and scope != GLOBAL:
        return (Party.LOCAL, Party.OPERATOR)
    return item.subscribers


def party(role: Role) -> Party:
    """Return the party that a controller of ``role`` is."""
    return Party(role.value)
