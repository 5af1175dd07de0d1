"""The inventory as targets of Prometheus' file_sd, for snmp_exporter: the devices that speak SNMP.

Labels name module and credential of snmp_exporter's file. The secret is in that file alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pdsno_cli.cli.device_facts import Facts
from pdsno_cli.cli.device_formats.context import Context, unique_names
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.addresses import Address

_BASE = "if_mib"
_NETWORK = ("router", "switch", "firewall")
# Modules of the snmp.yml that snmp_exporter ships, added to if_mib: by vendor, for these types, or all.
MODULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("apcups", "APC", ("power",)),
    ("arista_sw", "Arista", ()),
    ("cisco_device", "Cisco", _NETWORK),
    ("cisco_wlc", "Cisco", ("wlan controller",)),
    ("cyberpower", "CyberPower", ()),
    ("dell", "Dell", ("server",)),
    ("dell_network", "Dell", ("switch",)),
    ("dlink", "D-Link", ("switch",)),
    ("eltex_mes", "Eltex", ("switch",)),
    ("hpe", "HPE", ("server",)),
    ("liebert_pdu", "Vertiv", ("power",)),
    ("mikrotik", "MikroTik", ()),
    ("paloalto_fw", "Palo Alto Networks", ()),
    ("raritan", "Raritan", ()),
    ("sophos_xg", "Sophos", ("firewall",)),
    ("synology", "Synology", ()),
    ("ubiquiti_unifi", "Ubiquiti", ("access point",)),
)
_LABELS = ("vendor", "type", "os", "model")


def render(rows: Sequence[Facts], context: Context) -> str:
    """Return the targets as JSON, one group for each device."""
    groups = []
    for name, row in zip(unique_names(rows), rows, strict=True):
        if "snmp" not in row["protocols"].split(","):
            continue
        port = context.port(row)
        labels = {
            "__param_module": _modules(row),
            "__param_auth": context.credential(row),
            "device": name,
            **{f"device_{field}": row[field] for field in _LABELS if row[field]},
            "region": row["region"],
            "controller": row["controller"],
        }
        plain = port == 161 and not is_ipv6(row["address"])
        target = row["address"] if plain else str(Address(row["address"], port))
        groups.append({"targets": [target], "labels": labels})
    return json.dumps(groups, indent=2, ensure_ascii=False)


def _modules(row: Facts) -> str:
    found = [
        name
        for name, vendor, kinds in MODULES
        if vendor == row["vendor"] and (not kinds or row["type"] in kinds)
    ]
    if row["type"] == "printer":
        found.append("printer_mib")
    return ",".join((_BASE, *found))
