"""Identifies a device: the facts that its answers hold, each with its evidence; pure.

Every value stands in the answers or in our tables, and a good one is never replaced by nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from pdsno_cli.discovery.identify import objects
from pdsno_cli.discovery.identify.answers import ENTERPRISES, Answers, Object, Oid
from pdsno_cli.discovery.identify.facts import Fact, Identity
from pdsno_cli.discovery.identify.kinds import kind
from pdsno_cli.discovery.identify.placeholders import is_placeholder, is_serial
from pdsno_cli.discovery.identify.rule import (
    SYS_DESCR,
    SYS_OBJECT_ID,
    Rule,
    condition,
    matches,
    search,
    several,
    values,
)
from pdsno_cli.discovery.identify.rules import RULES
from pdsno_cli.discovery.identify.vendors import AGENT_SOFTWARE, Vendor, table, vendor
from pdsno_cli.model.snmprec import parse_oid

SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYS_LOCATION: Oid = (1, 3, 6, 1, 2, 1, 1, 6, 0)
_LONGEST, _LONGEST_NAME = 128, 64

# Served by agents of every vendor: a MIB of these says nothing about who made the device.
_COMMON_MIBS = AGENT_SOFTWARE | {9, 311, 2, 43, 232, 674, 343, 4329, 1991, 3375, 22736, 18248}

# sysDescr, for devices without a rule of their own or with one that has no pattern.
_VERSIONS = (
    r"(?:software|firmware|system|fw|sw|os|agent)[ -]*(?:version|ver|rev(?:ision)?|release)\b\.?[: ]*v?(\d[\w.()+-]*)",
    r"\b(?:version|ver|release|firmware|rev(?:ision)?)\b\.?[: ]*(v?\d[\w.()+-]*)",
    r"\bversion[_:= ]+v?(\d+\.\d[\w.()+-]*)",
    r"\b(v\d+\.\d[\w.()+-]*)",
    r"(?:^|[\s,;(])(\d+\.\d+\.\d+[\w.()+-]*)",
    r"(?:software|firmware) (?:version|ver|rev(?:ision)?|release)\.?[: ]*([A-Z]\w*\d[\w.()+-]*)",
    r"[A-Za-z]_V(\d+\.\d+[\w.]*)",
    r"^(?:[A-Z][\w/+-]* ){1,3}v?(\d+\.\d\w*)$",
)
# A kernel's version and host are not the device's.
_UNAME = r"^(?:Linux|FreeBSD|OpenBSD|NetBSD|SunOS|Darwin|Hardware:) "
_PRODUCT = r"^((?:[A-Z][\w-]* ){0,2}(?!v?\d+\.)[A-Z]{0,12}-?[A-Z]*\d[\w/+-]*)(?![\w/+-]*\.\d)"
_STATED = r"<<.*\bVENDOR: ?([^;>]{2,40})"  # DOCSIS (CM-SP-OSSI)
_MODELS = (
    r"\bmodel(?: (?:name|number|no))?\.?[:= ]+([\w/+.-]*\d[\w/+.-]*)",
    r"^(?:[A-Z][\w.&-]*,? ){0,2}?((?!v?\d+\.)(?-i:[A-Z]{1,8})\d*-?(?-i:[A-Z]*)\d[\w/+-]*)(?![\w/+-]*\.\d)",
)


def system_answers(
    sys_descr: str | None, sys_object_id: str | None, others: Mapping[Oid, Object] | None = None
) -> Answers:
    """Return the answers of a device whose system group is known as text, with its ``others``."""
    system: dict[Oid, Object] = {}
    if sys_descr is not None:
        system[SYS_DESCR] = Object(sys_descr.encode())
    object_id = parse_oid(sys_object_id or "")
    if object_id is not None:
        system[SYS_OBJECT_ID] = Object(object_id)
    return Answers({**(others or {}), **system})


def identify(answers: Answers) -> Identity:
    """Return the facts of a device."""
    descr = answers.text(SYS_DESCR) or ""
    object_id = answers.oid(SYS_OBJECT_ID) or ()
    rule = next((item for item in RULES if matches(item, answers, descr, object_id)), None)
    because = condition(rule, descr, object_id) if rule is not None else ""

    maker, evidence = _vendor(rule, because, answers, descr, object_id)
    found: Identity = {}
    if maker is not None:
        found["vendor"] = Fact(maker.name, evidence)
    if rule is not None and rule.os is not None:
        found["os"] = Fact(rule.os, because)
    for field, sources in _sources(rule, maker.name if maker is not None else "", answers, descr):
        if field not in found and (fact := _first(field, sources)) is not None:
            found[field] = fact
    if rule is not None and rule.kind is not None:
        found["type"] = Fact(rule.kind, because)
    else:
        model = found["model"].value if "model" in found else ""
        system = rule.os if rule is not None else None
        decided = kind(answers, descr=descr, model=model, system=system, vendor=maker)
        if decided is not None:
            found["type"] = decided
    _add_system_group(found, answers)
    return found


def _vendor(
    rule: Rule | None, because: str, answers: Answers, descr: str, object_id: Oid
) -> tuple[Vendor | None, str]:
    """Return the vendor and its evidence; it has a type only if most of its devices have."""
    number = enterprise_number(object_id)
    listed = vendor(number) if number is not None else None
    stated = search(_STATED, descr)
    if stated is not None and not is_placeholder(stated[1]):
        return Vendor(known_name(stated[1]) or stated[1].strip()), "sysDescr VENDOR"
    if rule is not None and rule.vendor is not None:
        own = listed is not None and listed.name == rule.vendor
        return Vendor(rule.vendor), f"enterprise number {number}" if own else because
    if listed is not None:
        return listed, f"enterprise number {number}"
    for oid, name in objects.HARDWARE:
        if answers.text(oid) is not None:
            return Vendor(name), f"it serves {'.'.join(map(str, oid))}"
    for text, evidence in objects.entity(answers, "vendor"):
        if not is_placeholder(text) and len(text) <= _LONGEST_NAME:
            return Vendor(known_name(text) or text), evidence
    maker = answers.text(objects.UPS_MAKER)
    if maker is not None and not is_placeholder(maker) and len(maker) <= _LONGEST_NAME:
        return Vendor(known_name(maker) or maker), "UPS-MIB upsIdentManufacturer"
    first = known_name(descr)
    if first is not None:
        return Vendor(first), f"sysDescr {first!r}"
    return _by_served_mibs(answers)


def _by_served_mibs(answers: Answers) -> tuple[Vendor | None, str]:
    """Return the only vendor whose own MIB a device serves beside those that many serve."""
    numbers = {oid[6] for oid in answers.below(ENTERPRISES) if len(oid) > 6} - _COMMON_MIBS
    if len(numbers) == 1:
        number = numbers.pop()
        found = vendor(number)
        if found is not None:
            return found, f"it serves objects of enterprise number {number}"
    return None, ""


def enterprise_number(object_id: Oid) -> int | None:
    """Return the enterprise number of a sysObjectID, None if it is of another tree."""
    return object_id[6] if object_id[:6] == ENTERPRISES and len(object_id) > 6 else None


def known_name(text: str) -> str | None:
    """Return the vendor of our table whose name a text starts with, the longest of several."""
    plain = text.casefold()
    for folded, name in _names():
        if plain.startswith(folded) and not re.match(r"\w", plain[len(folded) :]):
            return name
    return None


@cache
def _names() -> tuple[tuple[str, str], ...]:
    """Return the names of our table that can be told from a word, the longest first."""
    names = {
        item.name
        for number, item in table().items()
        if number not in AGENT_SOFTWARE and len(item.name) > 2
    }
    return tuple(
        (name.casefold(), name) for name in sorted(names, key=lambda name: (-len(name), name))
    )


def _sources(
    rule: Rule | None, maker: str, answers: Answers, descr: str
) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield where each field may stand: the rule's places, then standard objects, then sysDescr."""
    if rule is not None:
        yield "version", values(rule.version, answers, descr)
        yield "model", values(rule.model, answers, descr)
        yield "serial", values(rule.serial, answers, descr)
    for field in ("model", "version", "serial"):
        yield field, objects.entity(answers, field)
        yield field, values(objects.SOURCES[field], answers, descr)
    if answers.has(objects.PRINTER):
        yield "model", values(objects.PRINTER_MODEL, answers, descr)
    yield "model", objects.descriptions(answers)
    if not search(_UNAME, descr):
        yield "version", values(_VERSIONS, answers, descr)
        yield "model", _after(maker, descr)
        # A rule that knows where sysDescr has the model knows when it has none.
        if rule is None or all(source.startswith("@") for source in several(rule.model)):
            yield "model", values(_MODELS, answers, descr)


def _after(maker: str, descr: str) -> Iterator[tuple[str, str]]:
    """Yield the product that follows the vendor's name at the start of sysDescr."""
    if maker and descr.casefold().startswith(f"{maker.casefold()} "):
        found = search(_PRODUCT, descr[len(maker) :].strip())
        if found is not None:
            yield found[1], "sysDescr"


def _first(field: str, found: Iterator[tuple[str, str]]) -> Fact | None:
    """Return the first value that says something."""
    for raw, evidence in found:
        text = raw.rstrip(" ,;:.-")
        text = text.rstrip(")") if "(" not in text else text
        good = is_serial(text) if field == "serial" else not is_placeholder(text)
        if good and len(text) <= _LONGEST:
            return Fact(text, evidence)
    return None


def _add_system_group(found: Identity, answers: Answers) -> None:
    for field, oid, name in (
        ("hostname", SYS_NAME, "sysName"),
        ("location", SYS_LOCATION, "sysLocation"),
    ):
        text = answers.text(oid)
        if text is not None and not is_placeholder(text):
            found[field] = Fact(text[:255].rstrip(), name)
    ticks = answers.number(SYS_UP_TIME)
    if ticks is not None and 0 <= ticks < 2**32:
        found["uptime"] = Fact(str(ticks // 100), "sysUpTime")
