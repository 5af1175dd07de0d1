"""Evidence that is found again in what stores keep."""

from __future__ import annotations

from pdsno_cli.discovery.evidence import evidence
from pdsno_cli.model.devices import Device

IOS_XE = (
    "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.4a"
)


def device(**fields):
    return Device(device_id="d", addresses=("10.0.0.1",), protocols=("snmp",), **fields)


def test_facts_that_follow_from_the_system_group_have_evidence():
    found = evidence(
        device(
            sys_descr=IOS_XE,
            sys_object_id="1.3.6.1.4.1.9.1.2494",
            extra={"vendor": "Cisco", "version": "17.9.4a", "serial": "FOC1", "model": "C9300-48P"},
        )
    )
    assert found == {"vendor": "enterprise number 9", "version": "sysDescr"}


def test_a_fact_that_was_stored_otherwise_has_none():
    stored = device(sys_descr=IOS_XE, sys_object_id="1.3.6.1.4.1.9.1.1", extra={"vendor": "Other"})
    assert evidence(stored) == {}


def test_a_device_without_snmp_has_none():
    assert evidence(device()) == {}
    assert evidence(device(sys_object_id="not an oid", sys_descr="\x00", extra={"x": "y"})) == {}
