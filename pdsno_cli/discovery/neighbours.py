"""The kernel's table of neighbours on links (Linux): whose MACs it has, and how many it holds."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Container, Iterable
from pathlib import Path

from pdsno_cli.discovery.mac import normalise_mac

_LIMIT = "/proc/sys/net/ipv4/neigh/default/gc_thresh3"
_DEFAULT_LIMIT = 1024
_COMPLETE = 0x2  # ATF_COM, if_arp.h
_DELETE, _REQUEST = 29, 1  # RTM_DELNEIGH, NLM_F_REQUEST (rtnetlink(7))
_HEADER = struct.Struct("=IHHII")  # nlmsghdr
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # ndmsg
_TO = struct.Struct("=HH4s")  # an attribute: NDA_DST
_BATCH = 100  # requests in one datagram


def parse(text: str) -> dict[str, str]:
    """Return the MAC of each resolved neighbour in ``/proc/net/arp`` (proc(5)), by its address."""
    found = {}
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 4 and int(fields[2], 16) & _COMPLETE:
            mac = normalise_mac(fields[3])
            if mac is not None:
                found[fields[0]] = mac
    return found


def resolved() -> dict[str, str]:
    """Return the MACs that the kernel knows of neighbours, by address; they may be out of date.

    That of an address is not when it has just answered: the kernel asked for it by ARP.
    """
    try:
        return parse(Path("/proc/net/arp").read_text(encoding="utf-8"))
    except OSError:
        return {}


def limit() -> int:
    """Return how many neighbours the kernel's table holds (arp(7)); it is shared by all namespaces."""
    try:
        return int(Path(_LIMIT).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a namespace does not show it
        return _DEFAULT_LIMIT


def addresses() -> frozenset[str]:
    """Return the addresses of all entries, resolved or not."""
    try:
        lines = Path("/proc/net/arp").read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return frozenset()
    return frozenset(line.split()[0] for line in lines if line.strip())


def forget(interface: str, entries: Iterable[str], *, keep: Container[str] = ()) -> None:
    """Delete entries of an interface, so that others fit; no effect without CAP_NET_ADMIN.

    The kernel itself replaces an entry only half a minute after it was used.
    """
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock,
    ):
        index = socket.if_nametoindex(interface)
        wanted = [entry for entry in entries if entry not in keep]
        for at in range(0, len(wanted), _BATCH):
            sock.send(b"".join(_deletion(index, entry) for entry in wanted[at : at + _BATCH]))


def _deletion(index: int, address: str) -> bytes:
    neighbour = _NEIGHBOUR.pack(socket.AF_INET, index, 0, 0, 0)
    to = _TO.pack(_TO.size, 1, socket.inet_aton(address))
    size = _HEADER.size + len(neighbour) + len(to)
    return _HEADER.pack(size, _DELETE, _REQUEST, 0, 0) + neighbour + to
