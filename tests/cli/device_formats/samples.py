"""Devices of a store, among them those that give a format trouble."""

from __future__ import annotations

from pdsno_cli.cli.device_facts import recorded_facts
from pdsno_cli.cli.device_formats.context import Context
from pdsno_cli.model.devices import Device
from pdsno_cli.nib.rows import DeviceRecord
from pdsno_cli.spec.topology import Snmp

SECRET = "s3cr3t-community"
CONTEXT = Context(
    {
        "lc1": Snmp(community="public"),
        "lc2": Snmp(community="${SNMP_COMMUNITY:-" + SECRET + "}", port=1161),
        "lc3": Snmp(community="file:secrets/core-agents.txt"),
        "lc-4": Snmp(community=SECRET),
    }
)


def record(address, name=None, *, local="lc1", region="zone-A", snmp=True, active=True, **extra):
    return DeviceRecord(
        local_id=local,
        region=region,
        device=Device(
            device_id=f"ip:{address}",
            addresses=(address,),
            protocols=("icmp", "snmp") if snmp else ("icmp",),
            mac="02:00:00:00:00:01",
            sys_name=name,
            **({"extra": extra} if extra else {}),
        ),
        version=3,
        active=active,
        first_seen=1_700_000_000.0,
        last_seen=1_700_000_100.0,
    )


def facts(*records):
    return [recorded_facts(item) for item in records]


NETWORK = facts(
    record("10.0.0.1", "core", vendor="Cisco", type="switch", os="IOS-XE", model="C9300-48P",
           serial="FOC1", version="17.9.4a", location="Hall 1"),
    record("10.0.0.2", "edge", local="lc2", vendor="Juniper", type="router", os="Junos"),
    record("10.0.0.3", None, snmp=False),
    record("10.0.0.4", "printer 1", local="lc3", region="zone B", vendor="HP", type="printer"),
    record("10.0.0.5", "twin", local="lc-4", vendor="HPE", type="server", os="Linux"),
    record("10.0.0.6", "twin", active=False, credential="Backup Agents"),
)  # fmt: skip
EVIL = facts(
    record("10.0.1.1", "{{ lookup('pipe', 'touch /tmp/owned') }}", location="{{ 7 * 7 }}",
           model="{% raw %}", vendor="=cmd|' /C calc'!A0"),
    record("10.0.1.2", "sw[1:3]", vendor="Ümlaut & Söhne", type="switch"),
    record("10.0.1.3", "yes", serial="0123", version="1e3", model="12:34:56", location="null"),
    record("10.0.1.4", "a,b\n\"c'\t: #", location="line\nbreak"),
    record("10.0.1.5", "localhost"),
    record("10.0.1.6", "-x", vendor="9lives"),
)  # fmt: skip
