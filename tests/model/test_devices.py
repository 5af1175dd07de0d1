"""Devices: equality apart from the uptime, and bounded extra fields."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from pdsno_cli.model.devices import EXTRA_FIELDS, EXTRA_VALUE, Device

DEVICE = Device(device_id="mac:1", addresses=("10.0.0.1",), protocols=("icmp",), uptime=1.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("device_id", "ip:1"),
        ("addresses", ("10.0.0.2",)),
        ("protocols", ("arp", "icmp")),
        ("mac", "02:00:00:00:00:01"),
        ("sys_name", "sw"),
        ("sys_descr", "switch"),
        ("sys_object_id", "1.3.6"),
        ("extra", {"qotd": "hi"}),
    ],
)
def test_any_field_but_the_uptime_makes_a_difference(field, value):
    assert not DEVICE.same(replace(DEVICE, **{field: value}))
    assert set(Device.__struct_fields__) == {
        "device_id", "addresses", "protocols", "mac", "sys_name", "sys_descr", "sys_object_id",
        "uptime", "extra",
    }  # fmt: skip
    assert DEVICE.same(replace(DEVICE, uptime=2.0))


@pytest.mark.parametrize(
    "extra",
    [{}, {"a": "x" * (EXTRA_VALUE + 1)}, {str(n): "" for n in range(EXTRA_FIELDS + 1)}, {"": 1}],
    ids=["empty", "long", "many", "number"],
)
def test_extra_fields_are_bounded_on_the_wire(extra):
    document = msgspec.to_builtins(DEVICE) | {"extra": extra}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(document), type=Device)
