"""What a cycle asks, and how patiently."""

from __future__ import annotations

from pdsno_cli.controllers import cycles
from pdsno_cli.model.devices import Device, Known
from pdsno_cli.spec.topology import Discovery


def known(number, *addresses, active=True):
    device = Device(device_id=f"d{number}", addresses=addresses, protocols=("icmp",))
    return Known(device=device, active=active)


def test_excluded_prefixes_are_left_out_whole_and_links_stay_links():
    rules = Discovery(
        targets=("10.0.1.0/27", "fd00:1::/64"), exclude=("10.0.1.8/29", "fd00:1::bad:0/112")
    )
    found = cycles.targets(rules)
    assert list(found) == [f"10.0.1.{n}" for n in (*range(1, 8), *range(16, 31))]
    assert "fd00:1::7" in found
    assert "fd00:1::bad:7" not in found


def test_known_ipv6_addresses_are_asked_in_every_cycle_also_those_of_inactive_devices():
    devices = [
        known(1, "10.0.1.1", "fd00:1::1"),
        known(2, "fd00:1::2", active=False),
        known(3, "10.0.1.3"),
    ]
    for thorough in (True, False):
        pace = cycles.pace(Discovery(), devices, thorough=thorough)
        assert pace.devices == {"fd00:1::1", "fd00:1::2"}
        assert (pace.known is None) == thorough
    assert set(pace.known) == {"10.0.1.1", "fd00:1::1", "10.0.1.3"}
