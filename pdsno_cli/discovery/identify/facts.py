"""The facts of one device, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = (
    "vendor", "type", "os", "version", "model", "serial", "hostname", "location", "uptime",
)  # fmt: skip

# The types a device can have, and the coarse class that other systems file each under.
CLASSES = {
    "router": "network",
    "switch": "network",
    "transport": "network",  # optical transport, access multiplexers, cable and DSL head ends
    "console server": "network",
    "network appliance": "network",  # WAN optimisers, proxies, media gateways, session border controllers
    "firewall": "firewall",
    "load balancer": "loadbalancer",
    "access point": "wireless",
    "wlan controller": "wireless",
    "radio": "wireless",  # point-to-point and point-to-multipoint links
    "server": "server",
    "hypervisor": "server",
    "workstation": "workstation",
    "storage": "storage",
    "printer": "printer",
    "power": "power",
    "environment": "environment",
    "camera": "camera",
    "phone": "phone",
    "appliance": "appliance",
    "other": "other",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and where it comes from, as in ``enterprise number 9`` or ``sysDescr``."""

    value: str
    evidence: str


Identity = dict[str, Fact]  # by the names of FIELDS; a field that is unknown is absent
