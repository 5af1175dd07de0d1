"""Takes loopback addresses away by routes in the kernel's local table, and gives them back.

Linux holds all of 127.0.0.0/8 for local. A route for one address goes before that: ``prohibit``
refuses its packets with an ICMP error, ``blackhole`` drops them without a word. It needs
CAP_NET_ADMIN and iproute2. Such routes carry a protocol number of our own, so what a killed process
left behind is found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Literal

Kind = Literal["prohibit", "blackhole"]

_PROTOCOL = "77"  # rtnetlink(7) rtm_protocol: unassigned in rt_protos, marks our routes
_TABLE = ("table", "local", "proto", _PROTOCOL)
_NOT_THERE = "No such process"  # ESRCH, by which the kernel says that there is no such route


def take_away(kind: Kind, address: str) -> str | None:
    """Take an address away; None when done, else why that cannot be, as part of a sentence."""
    if sys.platform != "linux":
        return "only Linux can take a loopback address away"
    _, reason = _ip("route", "replace", kind, f"{address}/32", *_TABLE)
    return f"needs CAP_NET_ADMIN and iproute2 ({reason})" if reason is not None else None


def give_back(kind: Kind, address: str) -> str | None:
    """Give an address back; None when it is there, else why it is not."""
    if sys.platform != "linux":
        return None
    _, reason = _ip("route", "del", kind, f"{address}/32", *_TABLE)
    return None if reason is None or _NOT_THERE in reason else reason


def taken_away(kind: Kind) -> frozenset[str]:
    """Return the addresses that are taken away, by this process or one before it."""
    if sys.platform != "linux":
        return frozenset()
    listed, _ = _ip("-o", "route", "show", *_TABLE)
    return frozenset(
        fields[1].removesuffix("/32")
        for fields in map(str.split, listed.splitlines())
        if len(fields) > 1 and fields[0] == kind
    )


def _ip(*arguments: str) -> tuple[str, str | None]:
    """Run iproute2; return what it printed, and in one line why it failed, if it did."""
    program = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if program is None:
        return "", "ip is not installed"
    try:
        done = subprocess.run(  # noqa: S603 - addresses come parsed from the topology
            [program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            process_group=0,  # Ctrl-C must not end what undoes a fault
        )
    except OSError as exc:
        return "", f"ip cannot be run: {exc.strerror}"
    if done.returncode == 0:
        return done.stdout, None
    return "", " ".join(done.stderr.split()) or f"ip ended with {done.returncode}"
