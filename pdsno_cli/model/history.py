"""What changed of a device, for people: fields with their values before and after."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pdsno_cli.model.devices import Device

VALUE_CHARACTERS = 120  # of a value; longer ones are cut

Kind = Literal["back", "updated", "moved", "rebooted", "inactive"]
_Value = Annotated[str, msgspec.Meta(max_length=VALUE_CHARACTERS)]


class DeviceChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One change of a device: ``fields`` has the values before and after, as text, by name.

    ``back`` means that it was inactive, ``moved`` that its MAC answers at other addresses only.
    """

    device_id: str
    kind: Kind
    fields: dict[Annotated[str, msgspec.Meta(max_length=64)], tuple[_Value, _Value]] = {}


def differences(before: Device, after: Device) -> dict[str, tuple[str, str]]:
    """Return the fields that differ, apart from the uptime; a missing value is empty."""
    one, other = _texts(before), _texts(after)
    return {
        name: (one.get(name, ""), other.get(name, ""))
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    }


def _texts(device: Device) -> dict[str, str]:
    fields: dict[str, object] = {
        "addresses": ", ".join(device.addresses),
        "protocols": ", ".join(device.protocols),
        "mac": device.mac,
        "sys_name": device.sys_name,
        "sys_descr": device.sys_descr,
        "sys_object_id": device.sys_object_id,
        **(device.extra or {}),
    }
    return {name: str(value)[:VALUE_CHARACTERS] for name, value in fields.items() if value}
