"""Which known device an observation is."""

from __future__ import annotations

import pytest

from pdsno_cli.discovery.identity import match, new_id
from pdsno_cli.model.devices import Device, Known, Observation

A, B = "10.0.0.1", "10.0.0.2"
M1, M2 = "02:00:00:00:00:01", "02:00:00:00:00:02"


def known(device_id: str, *addresses: str, mac: str | None = None, source: str = "arp", **more):
    device = Device(device_id=device_id, addresses=addresses, protocols=("icmp",), mac=mac)
    return Known(device=device, mac_source=source if mac else None, **more)


def seen(*addresses: str, mac: str | None = None, source: str = "arp") -> Observation:
    return Observation(
        addresses=addresses, protocols=("icmp",), mac=mac, mac_source=source if mac else None
    )


def matched(devices: dict[str, Known], *observations: Observation):
    """Return the id and the addresses of each match, and the absorbed ids."""
    matches, absorbed = match(devices, observations, 3)
    return [(item.device_id, item.observation.addresses) for item in matches], set(absorbed)


def test_mac_identifies_a_device_at_another_address():
    assert matched({"x": known("x", A, mac=M1)}, seen(B, mac=M1)) == ([("x", (B,))], set())


def test_address_identifies_a_device_without_a_mac_on_either_side():
    assert matched({"x": known("x", A)}, seen(A)) == ([("x", (A,))], set())
    assert matched({"x": known("x", A)}, seen(A, mac=M1)) == ([("x", (A,))], set())
    assert matched({"x": known("x", A, mac=M1)}, seen(A)) == ([("x", (A,))], set())


def test_another_mac_of_the_same_protocol_is_another_device():
    assert matched({"x": known("x", A, mac=M1)}, seen(A, mac=M2)) == ([(None, (A,))], set())


def test_another_mac_of_another_protocol_is_the_same_device():
    devices = {"x": known("x", A, mac=M1, source="snmp")}
    assert matched(devices, seen(A, mac=M2)) == ([("x", (A,))], set())


def test_active_device_is_preferred_at_a_shared_address():
    devices = {"old": known("old", A, active=False), "now": known("now", A)}
    assert matched(devices, seen(A))[0] == [("now", (A,))]


def test_device_without_a_mac_is_absorbed_once_its_address_answers_as_another():
    devices = {"x": known("x", A, mac=M1), "y": known("y", B)}
    found, absorbed = matched(devices, seen(A, B, mac=M1))
    assert (found, absorbed) == ([("x", (A, B))], {"y"})


@pytest.mark.parametrize(
    ("observation", "taken", "expected"),
    [
        (seen(A), {}, f"ip:{A}"),
        (seen(A, mac=M1), {}, f"mac:{M1}"),
        (seen(A), {f"ip:{A}"}, f"ip:{A}#2"),
        (seen(A), {f"ip:{A}", f"ip:{A}#2"}, f"ip:{A}#3"),
    ],
)
def test_new_id_is_unique(observation, taken, expected):
    assert new_id(observation, dict.fromkeys(taken)) == expected
