"""One device as text: its facts, interfaces, neighbours, VLANs and history; pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from pdsno_cli.cli.table import fitted, plural
from pdsno_cli.discovery.physical.ports import port_label
from pdsno_cli.model.durations import format_age
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pdsno_cli.cli.device_facts import Facts
    from pdsno_cli.model.details import Detail, Interface, Neighbour

# What is shown, in order: the title and the fields that stand beside it, those that are known.
_LINES = (
    ("state", ("state",)),
    ("type", ("type",)),
    ("vendor", ("vendor",)),
    ("model", ("model",)),
    ("system", ("os", "version")),
    ("serial", ("serial",)),
    ("location", ("location",)),
    ("addresses", ("addresses",)),
    ("mac", ("mac", "mac_vendor")),
    ("answers", ("protocols",)),
    ("credential", ("credential",)),
    ("object id", ("sys_object_id",)),
    ("description", ("sys_descr",)),
    ("region", ("region",)),
    ("controller", ("controller",)),
    ("device id", ("device_id",)),
    ("first seen", ("first_seen",)),
    ("last seen", ("last_seen",)),
)
_TITLE = 13  # columns of a title
_INTERFACES = ("interface", "state", "speed", "mac", "vlan", "addresses", "alias")
_DROP_INTERFACES = ("mac", "vlan", "speed", "alias", "addresses")
_NEIGHBOURS = ("interface", "neighbour", "port", "address", "protocol", "capabilities")
_DROP_NEIGHBOURS = ("capabilities", "protocol", "address", "port")
_GIGABIT = 1000  # Mbit/s
_MOST = 100_000  # columns of a line of any width
_FEW = 4  # interfaces that are shown although they are not in use


class Change(NamedTuple):
    """One change of a device: the time as text, what it was, and the fields before and after."""

    at: str
    kind: str
    fields: Mapping[str, tuple[str, str]]


def describe(
    facts: Facts,
    *,
    version: int,
    detail: Detail | None,
    history: Sequence[Change],
    width: int | None,
    evidence: Mapping[str, str] | None = None,
) -> str:
    """Return everything about one device, in lines of at most ``width`` where words allow it.

    A ``width`` of None is any; then interfaces that are not in use are shown, too. ``evidence`` is by
    field.
    """
    lines = [printable(facts["name"] or facts["address"])]
    for title, fields in _LINES:
        values = [facts[name] for name in fields if facts[name]]
        if values:
            because = dict.fromkeys(
                evidence[name] for name in fields if evidence and name in evidence and facts[name]
            )
            why = f" ({', '.join(because)})" if because else ""
            lines += _line(title, " ".join(values) + why, width)
    if facts["uptime"]:
        lines += _line("uptime", format_age(float(facts["uptime"])), width)
    lines += _line("version", f"{version} of its record in the store", width)
    blocks = ["\n".join(lines) + "\n"]
    if detail is not None:
        blocks += _tables(detail, width)
    if history:
        changes = [line for item in history for line in _change(item, width)]
        blocks.append(_section("history", changes))
    return "\n".join(blocks)


def _line(title: str, value: str, width: int | None) -> list[str]:
    return _wrapped(f"  {title.ljust(_TITLE)}", printable(value), " " * (2 + _TITLE), width)


def _wrapped(head: str, text: str, indent: str, width: int | None) -> list[str]:
    return textwrap.wrap(
        text,
        _MOST if width is None else max(width, _TITLE + 20),
        initial_indent=head,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tables(detail: Detail, width: int | None) -> Iterable[str]:
    if detail.interfaces:
        shown = [item for item in detail.interfaces if width is None or in_use(item)]
        left = len(detail.interfaces) - len(shown)
        if left <= _FEW:
            shown, left = list(detail.interfaces), 0
        rows = [_interface(item) for item in shown]
        title = plural(len(detail.interfaces), "interface")
        yield _table(title, _INTERFACES, rows, drop=_DROP_INTERFACES, width=width) + (
            f"  {left} others are not in use: --wide shows them\n" if left else ""
        )
    if detail.neighbours:
        rows = [_neighbour(item) for item in detail.neighbours]
        title = plural(len(rows), "neighbour")
        yield _table(title, _NEIGHBOURS, rows, drop=_DROP_NEIGHBOURS, width=width)
    if detail.vlans:
        names = ", ".join(f"{item.id} {printable(item.name)}".strip() for item in detail.vlans)
        room = _MOST if width is None else max(width - 2, 20)
        wrapped = textwrap.wrap(names, room, break_on_hyphens=False)
        yield _section(plural(len(detail.vlans), "VLAN"), wrapped)
    if detail.stations:
        stations = [
            (item.mac, printable(item.interface), "" if item.vlan is None else str(item.vlan))
            for item in detail.stations
        ]
        title = plural(len(stations), "learned MAC")
        yield _table(title, ("mac", "interface", "vlan"), stations, drop=("vlan",), width=width)


def _table(
    title: str,
    head: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    drop: tuple[str, ...],
    width: int | None,
) -> str:
    used = [n for n in range(len(head)) if any(row[n] for row in rows)]
    text = fitted(
        [head[n] for n in used],
        [[row[n] for n in used] for row in rows],
        width=None if width is None else width - 2,
        drop=drop,
    )
    return _section(title, text.splitlines())


def _section(title: str, lines: Iterable[str]) -> str:
    return f"{title}\n" + "".join(f"  {line}\n" for line in lines)


def in_use(item: Interface) -> bool:
    """Return True if an interface is up, or has an address, or a name that somebody gave it."""
    return item.state == "up" or bool(item.addresses or item.alias)


def _interface(item: Interface) -> tuple[str, ...]:
    return (
        printable(item.name),
        "disabled" if item.admin == "down" else item.state or "",
        format_speed(item.speed),
        item.mac or "",
        "" if item.vlan is None else str(item.vlan),
        printable(" ".join(item.addresses)),
        printable(item.alias),
    )


def _neighbour(item: Neighbour) -> tuple[str, ...]:
    return (
        printable(item.interface),
        printable(item.name or item.chassis),
        printable(port_label(item)),
        printable(item.address),
        item.protocol,
        printable(" ".join(item.capabilities)),
    )


def format_speed(speed: int | None) -> str:
    """Return a speed in Mbit/s as people write it: 100M, 2.5G."""
    if not speed:
        return ""
    return f"{speed}M" if speed < _GIGABIT else f"{speed / _GIGABIT:g}G"


def _change(item: Change, width: int | None) -> list[str]:
    room = None if width is None else width - 2  # a section is indented
    lines = [f"{item.at}  {item.kind}"]
    for name, (before, after) in item.fields.items():
        text = f"{name}: {printable(before) or 'none'} → {printable(after) or 'none'}"
        lines += _wrapped("    ", text, "      ", room)
    return lines
