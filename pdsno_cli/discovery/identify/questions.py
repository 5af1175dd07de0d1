"""What to ask an agent beyond its system group, so that it can be identified; pure.

Two requests at most, whatever the device: ``MAX_DATAGRAMS``.
"""

from __future__ import annotations

from dataclasses import dataclass

from pdsno_cli.discovery.identify.answers import Answers, Object, Oid
from pdsno_cli.discovery.identify.identity import SYS_LOCATION, enterprise_number
from pdsno_cli.discovery.identify.objects import ENTITY, HARDWARE
from pdsno_cli.discovery.identify.rule import (
    SYS_DESCR,
    SYS_OBJECT_ID,
    Rule,
    matches,
    oid_of,
    place,
    several,
)
from pdsno_cli.discovery.identify.rules import RULES
from pdsno_cli.discovery.identify.vendors import AGENT_SOFTWARE

MAX_DATAGRAMS = 2  # a GET and a GETBULK, each in one Ethernet frame
MAX_GETS = 64
MAX_NEXTS = 48
ROWS = 3  # of ENTITY-MIB: the chassis is among the first
ENGINE_ID: Oid = (1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0)  # snmpEngineID
BRIDGE_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 17, 1, 1, 0)  # dot1dBaseBridgeAddress
_COLUMNS = (5, 2, 10, 11, 12, 13)  # class, description, software, serial number, maker, model
_KIND = (
    (1, 3, 6, 1, 2, 1, 1, 7, 0),  # sysServices
    (1, 3, 6, 1, 2, 1, 4, 1, 0),  # ipForwarding
    (1, 3, 6, 1, 2, 1, 17, 1, 2, 0),  # dot1dBaseNumPorts
    (1, 0, 8802, 1, 1, 2, 1, 3, 6, 0),  # lldpLocSysCapEnabled
)
_UPS = tuple((1, 3, 6, 1, 2, 1, 33, 1, 1, number, 0) for number in (1, 2, 3, 4))
_PRINTER = (
    (1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 17, 1),  # prtGeneralSerialNumber
    (1, 3, 6, 1, 2, 1, 25, 3, 2, 1, 3, 1),  # hrDeviceDescr
)
_LLDP_MED = tuple((1, 0, 8802, 1, 1, 2, 1, 5, 4795, 1, 2, number, 0) for number in (3, 4, 5, 7))
_HARDWARE_SERIALS = (
    (1, 3, 6, 1, 4, 1, 232, 2, 2, 2, 1, 0),
    (1, 3, 6, 1, 4, 1, 674, 10892, 1, 300, 10, 1, 11, 1),
)


@dataclass(frozen=True, slots=True)
class Questions:
    """``gets`` are asked as they are; of ``nexts`` what follows; of ``columns`` the first rows."""

    gets: tuple[Oid, ...]
    nexts: tuple[Oid, ...]
    columns: tuple[Oid, ...]


def questions(descr: str, object_id: Oid) -> Questions:
    """Return what to ask an agent whose sysDescr and sysObjectID are these."""
    answers = Answers({SYS_DESCR: Object(descr.encode()), SYS_OBJECT_ID: Object(object_id)})
    rule = next((item for item in RULES if matches(item, answers, descr, object_id)), None)
    generic = enterprise_number(object_id) in {None, *AGENT_SOFTWARE}
    candidates: list[Rule] = [] if rule is None else [rule]
    gets: list[Oid] = [SYS_LOCATION, ENGINE_ID, BRIDGE_ADDRESS]
    nexts: list[Oid] = []
    for item in RULES:
        # Devices that only their own MIB tells from the others of their sysObjectID.
        if item.serves and (generic or _same_vendor(item, object_id)):
            nexts += [oid_of(text) for text in several(item.serves)]
            candidates.append(item)
    for item in candidates:
        instances, first_rows = _sources(item, answers)
        gets += instances
        nexts += first_rows
    kind = rule.kind if rule is not None else None
    gets += _standard(kind, generic=generic)
    return Questions(
        tuple(dict.fromkeys(gets))[:MAX_GETS],
        tuple(dict.fromkeys(nexts))[:MAX_NEXTS],
        tuple((*ENTITY, column) for column in _COLUMNS),
    )


def _same_vendor(rule: Rule, object_id: Oid) -> bool:
    return any(oid_of(text)[:7] == object_id[:7] for text in several(rule.serves))


def _sources(rule: Rule, answers: Answers) -> tuple[list[Oid], list[Oid]]:
    """Return the scalars and the columns at which a rule looks."""
    scalars, columns = [], []
    for source in (*several(rule.version), *several(rule.model), *several(rule.serial)):
        if source.startswith("@"):
            oid = place(source[1:].partition(" ~ ")[0], answers)
            scalars.append(oid)
            if oid[-1] != 0:
                columns.append(oid)
    return scalars, columns


def _standard(kind: str | None, *, generic: bool) -> tuple[Oid, ...]:
    """Return the standard objects that a device of this type may have."""
    found: tuple[Oid, ...] = ()
    if kind in {None, "power", "environment"}:
        found += _UPS
    if kind in {"phone", "access point"}:
        found += _LLDP_MED
    if kind in {None, "printer"}:
        found += _PRINTER
    if kind is None:
        found += _KIND
    if generic or kind in {"server", "hypervisor"}:
        found += (*(oid for oid, _ in HARDWARE), *_HARDWARE_SERIALS)
    return found
