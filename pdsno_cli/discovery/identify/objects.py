"""Standard objects that hold a model, version or serial number, whoever made the device.

ENTITY-MIB (RFC 6933), Printer-MIB (RFC 3805), UPS-MIB (RFC 1628), HOST-RESOURCES-MIB (RFC 2790), the
cable device MIB (RFC 4639), LLDP-MED (ANSI/TIA-1057), IEEE 802.11, FCMGMT-MIB of storage networks,
SCTE-HMS of cable plants, SNIA-SML of tape libraries, and the hardware that agents of Dell, HPE and
Supermicro report under a general-purpose system.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pdsno_cli.discovery.identify.answers import Answers, Oid

ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
_DESCR, _CLASS, _NAME = 2, 5, 7
_HARDWARE_REV, _FIRMWARE_REV, _SOFTWARE_REV = 8, 9, 10
_SERIAL, _MAKER, _MODEL = 11, 12, 13
_CHASSIS, _MODULE, _STACK = 3, 9, 11
_MAX_ROWS = 2000

# The inventory of switches that run Broadcom's FASTPATH, below each maker's number.
_FASTPATH = (
    "4413.1.1.1.1.1",
    "7244.2.1.1.1.1",
    "674.10895.5000.2.6132.1.1.1.1.1",
    "4526.10.1.1.1",
    "4526.11.1.1.1",
)

# Inventories of one form each that many makers serve: model, version, serial number.
_LLDP_MED = "1.0.8802.1.1.2.1.5.4795.1.2"
_IEEE_80211 = "1.2.840.10036.3.1.2.1"
_CABLE = "1.3.6.1.2.1.69.1"
_CABLE_PLANT = "5591.1.3.1"
_TAPE_LIBRARY = "14851.3.1.3"
_FIBRE_CHANNEL = "1.3.6.1.3.94.1"
_RADLAN = ("89.53.14.1", "9.6.1.101.53.14.1", "3955.89.53.14.1", "4526.17.53.14.1")
_FORCE10 = "6027.3.10.1.2.2.1"

# Read wherever they were answered; discovery asks for those that a type or a rule names (questions.py).
SOURCES = {
    "model": (
        "@1.3.6.1.2.1.33.1.1.2.0",
        "@232.2.2.4.2.0",
        "@674.10892.5.1.3.12.0",
        "@674.10892.1.300.10.1.9.1",
        *(f"@{base}.3.0" for base in _FASTPATH),
        f"@{_LLDP_MED}.7.0",
        f"@{_CABLE_PLANT}.3.0",
        f"@{_TAPE_LIBRARY}.1.0",
        f"@{_FIBRE_CHANNEL}.6.1.7",
        f"@{_IEEE_80211}.3",
    ),
    "version": (
        *(f"@{base}.13.0" for base in _FASTPATH),
        "@1.3.6.1.2.1.33.1.1.3.0",
        "@1.3.6.1.2.1.33.1.1.4.0",
        *(f"@{base}.2.1" for base in _RADLAN),
        "@89.2.4.0",
        f"@{_FORCE10}.10.1",
        f"@{_LLDP_MED}.4.0",
        f"@{_LLDP_MED}.3.0",
        f"@{_CABLE}.3.5.0",
        f"@{_TAPE_LIBRARY}.4.0",
        f"@{_FIBRE_CHANNEL}.7.1.3 ~ ^(\\S*\\d\\S*)$",
        f"@{_IEEE_80211}.4",
    ),
    "serial": (
        "@1.3.6.1.2.1.43.5.1.1.17.1",
        "@232.2.2.2.1.0",
        "@674.10892.5.1.3.2.0",
        "@674.10892.1.300.10.1.11.1",
        *(f"@{base}.4.0" for base in _FASTPATH),
        *(f"@{base}.5.1" for base in _RADLAN),
        f"@{_FORCE10}.12.1",
        f"@{_LLDP_MED}.5.0",
        f"@{_CABLE}.1.4.0",
        f"@{_CABLE_PLANT}.4.0",
        f"@{_TAPE_LIBRARY}.2.0",
        f"@{_FIBRE_CHANNEL}.6.1.8",
    ),
}
# A server's maker, where its agent reports the hardware under a general-purpose system.
HARDWARE = (
    ((1, 3, 6, 1, 4, 1, 232, 2, 2, 4, 2, 0), "HPE"),
    ((1, 3, 6, 1, 4, 1, 674, 10892, 1, 300, 10, 1, 9, 1), "Dell"),
    ((1, 3, 6, 1, 4, 1, 674, 10892, 5, 1, 3, 12, 0), "Dell"),
)
# A printer's first device in HOST-RESOURCES-MIB is the printer itself.
PRINTER_MODEL = ("@1.3.6.1.2.1.25.3.2.1.3.1", "@1.3.6.1.2.1.43.5.1.1.16.1")
PRINTER: Oid = (1, 3, 6, 1, 2, 1, 43, 5, 1, 1)
UPS: Oid = (1, 3, 6, 1, 2, 1, 33, 1)
UPS_MAKER: Oid = (1, 3, 6, 1, 2, 1, 33, 1, 1, 1, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One physical part of ENTITY-MIB; ``index`` is its row."""

    index: Oid
    kind: int | None


def parts(answers: Answers) -> list[Part]:
    """Return the parts that can stand for the whole device, the likeliest first.

    A chassis, then a stack, then what has no class, then modules: a router's software revision may
    stand at its processor. Ports, sensors, fans and power supplies have serial numbers of their own.
    """
    rows: dict[Oid, int | None] = {}
    for number, oid in enumerate(answers.below(ENTITY)):
        if number == _MAX_ROWS:
            break
        index = oid[len(ENTITY) + 1 :]
        if index:
            rows.setdefault(index, answers.number((*ENTITY, _CLASS, *index)))
    ranks = {_CHASSIS: 0, _STACK: 1, None: 2, 1: 3, 2: 3, _MODULE: 4}
    first = min(rows, default=())
    # Of rows without a telling class only the first can be the device: others are buses and drives.
    found = [
        Part(index, kind)
        for index, kind in sorted(rows.items())
        if kind in ranks and (kind in {_CHASSIS, _STACK, _MODULE} or index == first)
    ]
    return sorted(found, key=lambda part: ranks[part.kind])


def entity(answers: Answers, field: str) -> Iterator[tuple[str, str]]:
    """Yield a field's values in ENTITY-MIB, the likeliest first, each with its evidence."""
    columns = {
        "model": (_MODEL,),
        "serial": (_SERIAL,),
        "version": (_SOFTWARE_REV, _FIRMWARE_REV),
        "vendor": (_MAKER,),
    }[field]
    known = parts(answers)
    for part in known:
        if part.kind == _MODULE and field in {"model", "serial"} and known[0].kind == _CHASSIS:
            return  # a line card's is not the device's
        for column in columns:
            text = answers.text((*ENTITY, column, *part.index))
            if text:
                yield text, f"ENTITY-MIB {_COLUMNS[column]}.{'.'.join(map(str, part.index))}"


def descriptions(answers: Answers) -> Iterator[tuple[str, str]]:
    """Yield what ENTITY-MIB calls the chassis, where it has no model name."""
    for part in parts(answers):
        if part.kind == _CHASSIS:
            for column in (_DESCR, _NAME):
                text = answers.text((*ENTITY, column, *part.index))
                if text and len(text) <= 60 and any(character.isdigit() for character in text):
                    yield text, f"ENTITY-MIB {_COLUMNS[column]}.{'.'.join(map(str, part.index))}"


_COLUMNS = {
    _DESCR: "entPhysicalDescr",
    _NAME: "entPhysicalName",
    _HARDWARE_REV: "entPhysicalHardwareRev",
    _FIRMWARE_REV: "entPhysicalFirmwareRev",
    _SOFTWARE_REV: "entPhysicalSoftwareRev",
    _SERIAL: "entPhysicalSerialNum",
    _MAKER: "entPhysicalMfgName",
    _MODEL: "entPhysicalModelName",
}
