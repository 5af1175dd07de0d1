"""The facts of a device as text, by the names that columns, filters and formats share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import suggest

if TYPE_CHECKING:
    from pdsno_cli.model.devices import Device, Observation
    from pdsno_cli.nib.rows import DeviceRecord

OBSERVED = (
    "address", "addresses", "mac", "mac_vendor", "name", "vendor", "type", "os", "version", "model", "serial",
    "location", "uptime", "protocols", "credential", "sys_descr", "sys_object_id",
)  # fmt: skip
RECORDED = ("device_id", "region", "controller", "state", "first_seen", "last_seen")
FIELDS = (*OBSERVED, *RECORDED)
_IDENTITY = ("vendor", "type", "os", "version", "model", "serial", "location")

Facts = Mapping[str, str]


def observed_facts(device: Device | Observation, *, vendors: bool = False) -> dict[str, str]:
    """Return the facts that probes found; an unknown one is empty.

    ``vendors`` looks up whose the MAC address is, which takes half a second once.
    """
    extra: Mapping[str, str] = device.extra or {}
    owner = None
    if vendors:
        from pdsno_cli.discovery.oui import mac_vendor

        owner = mac_vendor(device.mac)
    return {
        "address": device.addresses[0],
        "addresses": " ".join(device.addresses),
        "mac": device.mac or "",
        "mac_vendor": owner or "",
        "name": device.sys_name or "",
        **{name: extra.get(name, "") for name in _IDENTITY},
        "uptime": "" if device.uptime is None else f"{device.uptime:.0f}",
        "protocols": ",".join(device.protocols),
        "credential": extra.get("credential", ""),
        "sys_descr": device.sys_descr or "",
        "sys_object_id": device.sys_object_id or "",
    }


def recorded_facts(record: DeviceRecord, *, vendors: bool = False) -> dict[str, str]:
    """Return all facts of a device in a store."""
    from pdsno_cli.model.ids import timestamp

    return observed_facts(record.device, vendors=vendors) | {
        "device_id": record.device.device_id,
        "region": record.region,
        "controller": record.local_id,
        "state": "active" if record.active else "inactive",
        "first_seen": timestamp(record.first_seen),
        "last_seen": timestamp(record.last_seen),
    }


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of ``--where``: a field, and what its value must be."""

    field: str
    holds: Callable[[str], bool]


_CONDITION = re.compile(r"\s*([\w-]+)\s*(!=|!~|=|~)\s*(.*?)\s*")


def conditions(texts: Iterable[str], fields: Iterable[str] = FIELDS) -> list[Condition]:
    """Return the conditions of all ``--where`` options; raises UsageError for an invalid one."""
    known = tuple(fields)
    return [_condition(part, known) for text in texts for part in text.split(",") if part.strip()]


def matches(facts: Facts, wanted: Iterable[Condition]) -> bool:
    """Return True if every condition holds."""
    return all(item.holds(facts[item.field]) for item in wanted)


def _condition(text: str, known: tuple[str, ...]) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"invalid --where {text.strip()!r}: write FIELD=VALUE, as in vendor=Cisco, or != ~ !~"
        )
    name, operator, value = found.groups()
    name = name.replace("-", "_")
    if name not in known:
        raise UsageError(f"invalid --where {text.strip()!r}: unknown field {name!r}: "
                         f"{suggest(name, known)}")  # fmt: skip
    if "~" in operator:
        try:
            search: Callable[[str], Any] = re.compile(value, re.IGNORECASE).search
        except re.error as exc:
            raise UsageError(f"invalid --where {text.strip()!r}: {exc}") from exc
    else:
        wanted = value.casefold()

        def search(text: str) -> bool:
            return text.casefold() == wanted

    if operator.startswith("!"):
        return Condition(name, lambda text: not search(text))
    return Condition(name, lambda text: bool(search(text)))


def csv_text(rows: Iterable[Facts], fields: tuple[str, ...]) -> str:
    """Return facts as CSV (RFC 4180) with a head.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_cell(row[name]) for name in fields] for row in rows)
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
