"""A loopback address for each controller, so that a drill can cut the traffic of one alone.

On Linux all of 127.0.0.0/8 is local, so this costs nothing.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import zlib
from typing import TYPE_CHECKING

from pdsno_cli.model.addresses import is_loopback, parse_address, parse_host

if TYPE_CHECKING:
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_NETWORK = ipaddress.IPv4Network("127.192.0.0/11")  # far from the usual addresses


def own_addresses(topology: Topology, state: StateDir) -> dict[str, str]:
    """Return the addresses that controllers come from and serve HTTP on, by controller.

    No two are the same, and they are the same in every run from one state directory: two runs of
    one topology side by side have addresses of their own. Empty where a controller could be
    reached otherwise: on other systems than Linux, and where the broker or an address that a
    controller declares is not on IPv4 loopback. A controller that declares one has none.
    """
    if sys.platform != "linux" or not _all_on_loopback(topology):
        return {}
    home, room = state.root.resolve(), _NETWORK.num_addresses
    names: dict[int, str] = {}
    for name in topology.controllers:
        # By a hash and not by count, so that a controller more moves no other.
        place = zlib.crc32(os.fsencode(f"{home}/{name}")) % room
        while place in names:
            place = (place + 1) % room
        names[place] = name
    return {
        name: str(_NETWORK[place])
        for place, name in names.items()
        if topology.controllers[name].address is None
    }


def _all_on_loopback(topology: Topology) -> bool:
    broker = topology.broker
    declared = [item.address for item in topology.controllers.values() if item.address is not None]
    return (
        broker.embedded
        or all(is_loopback(item.host) and _has_ipv4(item.host) for item in broker.addresses)
    ) and all(_is_ipv4_loopback(parse_address(address, 0).host) for address in declared)


def _has_ipv4(host: str) -> bool:
    """Return True if ``host`` has an IPv4 address; on some machines localhost is ``::1`` alone."""
    try:
        return bool(socket.getaddrinfo(host, None, socket.AF_INET))
    except (OSError, UnicodeError):
        return False


def _is_ipv4_loopback(host: str) -> bool:
    # A name does not do: its owner may listen on the IPv6 address that it stands for, too.
    address = parse_host(host)
    return isinstance(address, ipaddress.IPv4Address) and address.is_loopback
