"""A rule: what a device must have answered to be a certain system, and where its facts stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pdsno_cli.discovery.identify.answers import ENTERPRISES, Answers, Oid, enterprise

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)

_SPECIFIC = 8  # arcs of a sysObjectID that is more than an enterprise number

Sources = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One entry of the ordered rules; the first whose conditions all hold is a device's.

    ``oid`` are prefixes of sysObjectID below 1.3.6.1.4.1, one of which must match; ``serves`` are
    OIDs of which the device must answer one, itself or something below it. ``descr`` must be found
    in sysDescr, ``unless`` must not (regular expressions, letter case aside).

    ``vendor`` overrides the enterprise number's. ``kind`` is the type (``facts.CLASSES``), None if
    ``kinds`` is to decide. ``version``, ``model`` and ``serial`` are sources, tried in order before
    the general ones: a regular expression whose group 1 is taken from sysDescr, or ``@OID``, or
    ``@OID ~ regex``; an OID is below 1.3.6.1.4.1, or starts with ``1.``, and without an instance it
    stands for the first row. ``@+.1.4.0`` is below sysObjectID, ``@-.1.4.0`` beside it.
    """

    os: str | None = None
    oid: Sources = ()
    serves: Sources = ()
    descr: str | None = None
    unless: str | None = None
    vendor: str | None = None
    kind: str | None = None
    version: Sources = ()
    model: Sources = ()
    serial: Sources = ()

    def __post_init__(self) -> None:
        if not (self.oid or self.serves or self.descr):
            raise ValueError(f"the rule for {self.os!r} has no condition")


def matches(rule: Rule, answers: Answers, descr: str, object_id: Oid) -> bool:
    """Return True if every condition of a rule holds."""
    if rule.oid and not any(starts(object_id, prefix) for prefix in several(rule.oid)):
        return False
    if rule.descr is not None and not search(rule.descr, descr):
        return False
    if rule.unless is not None and search(rule.unless, descr):
        return False
    return not rule.serves or any(answers.has(oid_of(text)) for text in several(rule.serves))


def condition(rule: Rule, descr: str, object_id: Oid) -> str:
    """Return what a rule that matched was decided by."""
    if rule.descr is not None and (found := search(rule.descr, descr)) is not None:
        words = " ".join(found[0].split())[:40]
        return f"sysDescr {words!r}" if words else "sysDescr"
    if rule.oid:
        prefix = next(text for text in several(rule.oid) if starts(object_id, text))
        return f"sysObjectID below {'.'.join(map(str, ENTERPRISES))}.{prefix}"
    return f"it serves {several(rule.serves)[0]}"


def values(sources: Sources, answers: Answers, descr: str) -> Iterator[tuple[str, str]]:
    """Yield every value that the sources hold, in order, each with its evidence."""
    for source in several(sources):
        if source.startswith("@"):
            name, _, pattern = source[1:].partition(" ~ ")
            for oid in _instances(answers, place(name, answers)):
                text = answers.text(oid)
                if text is not None and pattern:
                    text = _group(pattern, text)
                if text:
                    yield text, ".".join(map(str, oid))
                    break
        elif text := _group(source, descr):
            yield text, "sysDescr"


def place(name: str, answers: Answers) -> Oid:
    """Return the OID of a source, which may be relative to sysObjectID."""
    if name[0] not in "+-":
        return oid_of(name)
    base = answers.oid(SYS_OBJECT_ID) or ()
    if len(base) < _SPECIFIC:
        return (*ENTERPRISES, 0)  # nothing stands there
    rest = tuple(int(part) for part in name[2:].split("."))
    return (base if name[0] == "+" else base[:-1]) + rest


def _instances(answers: Answers, oid: Oid) -> Iterator[Oid]:
    for number, found in enumerate(answers.below(oid)):
        if number == 8:
            return
        yield found


def _group(pattern: str, text: str) -> str | None:
    found = search(pattern, text)
    if found is None:
        return None
    return next((group.strip() for group in found.groups() if group and group.strip()), None)


def several(sources: Sources) -> tuple[str, ...]:
    """Return one source or several as several."""
    return (sources,) if isinstance(sources, str) else sources


@cache
def oid_of(text: str) -> Oid:
    """Return an OID of the tables."""
    return enterprise(text)


def starts(object_id: Oid, prefix: str) -> bool:
    """Return True if a sysObjectID is at or below a prefix of the tables."""
    numbers = oid_of(prefix)
    return object_id[: len(numbers)] == numbers


def search(pattern: str, text: str) -> re.Match[str] | None:
    """Search a pattern of the tables, letter case aside."""
    return _compiled(pattern).search(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
