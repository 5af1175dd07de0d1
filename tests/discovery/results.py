"""Answers of the three protocols as a sweep hands them to ``merge``, written briefly."""

from __future__ import annotations


def info(**fields):
    """Return the fields of an SNMP answer; None stands for a field that it does not have."""
    return {name: value for name, value in fields.items() if value is not None}


def results(arp=None, icmp=(), snmp=None):
    """Return results by protocol: MACs by address, addresses, and SNMP fields by address."""
    return {
        "arp": {address: {"mac": mac} for address, mac in (arp or {}).items()},
        "icmp": {address: {} for address in icmp},
        "snmp": snmp or {},
    }
