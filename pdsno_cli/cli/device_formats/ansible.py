"""The inventory as a static inventory of Ansible, in YAML, grouped by vendor, type and region.

Facts come from devices, and Ansible evaluates templates in variables: a text that looks like one is
tagged ``!unsafe``, so that it stays text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pdsno_cli.cli.device_facts import Facts
from pdsno_cli.cli.device_formats.context import Context, unique_names, word

_CLI, _HTTP = "ansible.netcommon.network_cli", "ansible.netcommon.httpapi"
# ansible_network_os by the operating system that identification names, from the platform pages of
# Ansible's documentation; systems that have no network plug-in are left out.
NETWORK_OS = {
    "AireOS": ("community.network.aireos", _CLI),
    "ArubaOS-CX": ("arubanetworks.aoscx.aoscx", _CLI),
    "ASA": ("cisco.asa.asa", _CLI),
    "EdgeOS": ("community.network.edgeos", _CLI),
    "EdgeSwitch": ("community.network.edgeswitch", _CLI),
    "EOS": ("arista.eos.eos", _CLI),
    "EXOS": ("community.network.exos", _CLI),
    "FortiOS": ("fortinet.fortios.fortios", _HTTP),
    "Gaia": ("check_point.mgmt.checkpoint", _HTTP),
    "IOS": ("cisco.ios.ios", _CLI),
    "IOS-XE": ("cisco.ios.ios", _CLI),
    "IOS-XR": ("cisco.iosxr.iosxr", _CLI),
    "IronWare": ("community.network.ironware", _CLI),
    "Junos": ("junipernetworks.junos.junos", "ansible.netcommon.netconf"),
    "NOS": ("community.network.nos", _CLI),
    "NX-OS": ("cisco.nxos.nxos", _CLI),
    "RouterOS": ("community.routeros.routeros", _CLI),
    "SAOS": ("ciena.saos6.saos6", _CLI),
    "SLX-OS": ("community.network.slxos", _CLI),
    "SR OS": ("community.network.sros", _CLI),
    "VOSS": ("community.network.voss", _CLI),
    "VRP": ("community.network.ce", _CLI),
    "VyOS": ("vyos.vyos.vyos", _CLI),
    "WeOS": ("community.network.weos4", _CLI),
}
_VARIABLES = (
    "vendor",
    "type",
    "os",
    "version",
    "model",
    "serial",
    "location",
    "mac",
    "region",
    "controller",
)
_TEMPLATE = ("{{", "{%", "{#")
_GROUPS = ("vendor", "type", "region")


class _Unsafe(str):
    __slots__ = ()


def render(rows: Sequence[Facts], context: Context) -> str:  # noqa: ARG001 - a format need not use it
    """Return the inventory; a file of it is named ``.yml``."""
    import yaml

    hosts: dict[str, dict[str, str]] = {}
    groups: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for name, row in zip(unique_names(rows), rows, strict=True):
        hosts[name] = _variables(row)
        for field in _GROUPS:
            if row[field]:
                groups[f"{field}_{word(row[field])}"][name] = {}
    children = {name: {"hosts": members} for name, members in sorted(groups.items())}
    document = {"all": {"hosts": hosts, "children": children}}

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def unsafe(dumper: yaml.SafeDumper, text: _Unsafe) -> yaml.ScalarNode:
        return dumper.represent_scalar("!unsafe", str(text), style="'")

    Dumper.add_representer(_Unsafe, unsafe)
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000))


def _variables(row: Facts) -> dict[str, str]:
    found = {"ansible_host": row["address"]}
    if row["os"] in NETWORK_OS:
        found["ansible_network_os"], found["ansible_connection"] = NETWORK_OS[row["os"]]
    for name in _VARIABLES:
        if row[name]:
            found[f"pdsno_{name}"] = _text(row[name])
    return found


def _text(value: str) -> str:
    return _Unsafe(value) if any(mark in value for mark in _TEMPLATE) else value
