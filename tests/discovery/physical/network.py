"""Devices with details, as a regional controller knows them."""

from __future__ import annotations

from pdsno_cli.discovery.physical.nodes import Found
from pdsno_cli.model.details import Detail, Interface, Neighbour, Station
from pdsno_cli.model.devices import Device


def mac(number: int) -> str:
    return f"02:00:00:00:00:{number:02x}"


def lldp(interface: str, chassis: str = "", port: str = "", **fields) -> Neighbour:
    return Neighbour(interface=interface, protocol="lldp", chassis=chassis, port=port, **fields)


def found(number: int, *neighbours, local="lc", stations=None, interfaces=(), **extra) -> Found:
    """Return device ``number``: its MAC, address and name are made of it."""
    return Found(
        local_id=local,
        region="r",
        device=Device(
            device_id=f"mac:{mac(number)}",
            addresses=(f"10.0.0.{number}",),
            protocols=("snmp",),
            mac=mac(number),
            sys_name=f"d{number}",
            extra=extra or None,
        ),
        detail=Detail(
            chassis=mac(number),
            neighbours=tuple(neighbours),
            interfaces=tuple(
                Interface(index=n, name=name, mac=address)
                for n, (name, address) in enumerate(interfaces)
            ),
            stations=None
            if stations is None
            else tuple(
                Station(mac=mac(n), interface=port, vlan=10)
                for port, numbers in stations.items()
                for n in numbers
            ),
        ),
    )
