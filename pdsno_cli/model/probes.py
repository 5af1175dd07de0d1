"""The registry of probes: the name of each, what it needs and what it yields.

Facts only, so that every layer can use them: the topology file, policies, lint and the order of
protocols derive from here. The code is in ``discovery/``, imported when a sweep uses it.
``docs/discovery.md`` explains how to add one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFacts:
    """One protocol that discovery can use.

    ``name`` is the protocol's name in topology files, reports and stores; ``module`` holds its
    ``PROBE`` (``discovery.probe.Probe``). ``asks`` is the request in a few words. ``privilege`` is
    required of a process to use it, None if any may; ``grant`` says what to type for it. An ``on_link`` probe reaches only targets
    on a link of this machine, and others are then asked only of those that answered it. Answers of
    a ``presence`` probe show at small cost who is there; a policy may ask all else of those only.
    ``yields`` are the fields of a device that an answer may have; ``lasting`` ones are asked for
    rarely, and kept while the same agent answers without them.
    ``rate`` requests are sent a second; each target gets up to ``tries``, and an answer ``timeout``
    seconds, or down to ``floor`` where all answers are quick.
    """

    name: str
    module: str
    asks: str
    yields: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    privilege: str | None = None
    grant: str | None = None
    on_link: bool = False
    presence: bool = False
    rate: float = 2000.0
    tries: int = 2
    timeout: float = 1.0
    floor: float = 0.1


# What a device is, as discovery/identify finds it in the answers of its SNMP agent.
IDENTITY = ("vendor", "type", "os", "version", "model", "serial", "location")
DETAIL = "detail"  # the digest of a device's model.details.Detail

# What tells one device at several addresses: its SNMP engine and its bridge.
UNIQUE = ("engine_id", "bridge_mac")

# Of an address that several devices share: its MAC is one of VRRP, HSRP or the like.
SHARED = "shared"

# The order matters: protocols are listed in it, and if two probes yield the same field, or different
# MACs, the earlier one wins.
PROBES = (
    ProbeFacts(
        name="arp",
        module="pdsno_cli.discovery.arp",
        asks="who-has (RFC 826)",
        yields=("mac", SHARED),
        privilege="CAP_NET_RAW",
        grant="sudo setcap cap_net_raw+ep {python}, or AmbientCapabilities=CAP_NET_RAW in a systemd unit",
        on_link=True,
        rate=5000.0,
        floor=0.05,
    ),
    ProbeFacts(
        name="icmp",
        module="pdsno_cli.discovery.icmp",
        asks="echo request (RFC 792, RFC 4443); on an IPv6 link also one to all nodes",
        yields=("mac", SHARED),  # of neighbours by IPv6, from the kernel's table
        privilege="CAP_NET_RAW, or a group within the sysctl net.ipv4.ping_group_range",
        grant="sudo sysctl net.ipv4.ping_group_range='0 2147483647', or CAP_NET_RAW",
        presence=True,
        rate=5000.0,
    ),
    ProbeFacts(
        name="snmp",
        module="pdsno_cli.discovery.snmp.probe",
        asks="SNMP v2c GET of the system group, then GETBULK of ifPhysAddress up to the first MAC; "
        "of a new device a GET and a GETBULK to identify it, and its tables",
        yields=(
            "mac",
            "sys_name",
            "sys_descr",
            "sys_object_id",
            "uptime",
            "credential",
            *IDENTITY,
            *UNIQUE,
            DETAIL,
        ),
        lasting=(*IDENTITY, *UNIQUE, DETAIL),
        rate=2000.0,  # tries and timeout are those of the topology file
        floor=0.25,  # agents are slower than kernels
    ),
    ProbeFacts(
        name="lldp",
        module="pdsno_cli.discovery.lldp",
        asks="nothing: hears LLDP (IEEE 802.1AB) and CDP on the machine's links, through scapy",
        yields=("mac", "sys_name", "sys_descr", "heard_on", "heard_port"),
        privilege="CAP_NET_RAW",
        grant="sudo setcap cap_net_raw+ep {python}, or AmbientCapabilities=CAP_NET_RAW in a systemd unit",
    ),
)

FACTS = {facts.name: facts for facts in PROBES}
PROTOCOLS = tuple(FACTS)
DEFAULT_PROTOCOLS = ("arp", "icmp", "snmp")  # of a topology file that names none


def how_to_grant(protocol: str) -> str | None:
    """Return what to type so that a process of this Python may use a protocol, None if any may."""
    grant = FACTS[protocol].grant
    return None if grant is None else grant.format(python=os.path.realpath(sys.executable))


def sort_protocols(protocols: Iterable[str]) -> tuple[str, ...]:
    """Return each protocol once, in the order of the registry; unknown ones are left out."""
    present = set(protocols)
    return tuple(name for name in PROTOCOLS if name in present)


def rank(protocol: str | None) -> int:
    """Return the position of a protocol in the registry; the last for None or an unknown one."""
    return PROTOCOLS.index(protocol) if protocol in FACTS else len(PROTOCOLS)
