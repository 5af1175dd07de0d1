"""Details and the devices that they belong to."""

from __future__ import annotations

from pdsno_cli.discovery.device_details import by_device, with_digests
from pdsno_cli.model.details import Detail
from pdsno_cli.model.devices import Device, Observation

ONE, TWO = Detail(chassis="one"), Detail(chassis="two")


def seen(*addresses, **extra):
    more = {"extra": extra} if extra else {}
    return Observation(addresses=addresses, protocols=("snmp",), **more)


def test_an_observation_gets_the_digest_of_the_detail_read_at_one_of_its_addresses():
    found = with_digests(
        [seen("10.0.0.1", "10.0.0.2", vendor="x"), seen("10.0.0.3")], {"10.0.0.2": ONE}
    )
    assert [item.extra or {} for item in found] == [{"vendor": "x", "detail": ONE.digest}, {}]


def test_a_detail_belongs_to_the_device_at_its_address_with_its_digest():
    devices = [
        Device(
            device_id="a",
            addresses=("10.0.0.1",),
            protocols=("snmp",),
            extra={"detail": ONE.digest},
        ),
        Device(
            device_id="b",
            addresses=("10.0.0.2",),
            protocols=("snmp",),
            extra={"detail": ONE.digest},
        ),
        Device(device_id="c", addresses=("10.0.0.3",), protocols=("snmp",)),
    ]
    details = {"10.0.0.1": ONE, "10.0.0.2": TWO, "10.0.0.3": ONE}
    assert by_device(devices, details) == {"a": ONE}
