"""Blocks single loopback addresses by routes in the kernel's local table.

On Linux all of 127.0.0.0/8 is local. A route for one address is more specific: ``prohibit`` rejects
its packets with an ICMP error, ``blackhole`` drops them silently. It needs CAP_NET_ADMIN and
iproute2. The routes carry a protocol number of their own, so that routes that a killed process left
behind are found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Literal

Kind = Literal["prohibit", "blackhole"]

_PROTOCOL = "77"  # rtnetlink(7) rtm_protocol: unassigned in rt_protos
_TABLE = ("table", "local", "proto", _PROTOCOL)
_NOT_FOUND = "No such process"  # ESRCH of the kernel for a missing route


def block(kind: Kind, address: str) -> str | None:
    """Block an address; return None, or the reason of the failure as part of a sentence."""
    if sys.platform != "linux":
        return "only Linux can block a loopback address"
    _, reason = _ip("route", "replace", kind, f"{address}/32", *_TABLE)
    return f"needs CAP_NET_ADMIN and iproute2 ({reason})" if reason is not None else None


def unblock(kind: Kind, address: str) -> str | None:
    """Unblock an address; return None, or the reason of the failure. Harmless when repeated."""
    if sys.platform != "linux":
        return None
    _, reason = _ip("route", "del", kind, f"{address}/32", *_TABLE)
    return None if reason is None or _NOT_FOUND in reason else reason


def blocked(kind: Kind) -> frozenset[str]:
    """Return the blocked addresses, by this process or an earlier one."""
    if sys.platform != "linux":
        return frozenset()
    listed, _ = _ip("-o", "route", "show", *_TABLE)
    return frozenset(
        fields[1].removesuffix("/32")
        for fields in map(str.split, listed.splitlines())
        if len(fields) > 1 and fields[0] == kind
    )


def _ip(*arguments: str) -> tuple[str, str | None]:
    """Run iproute2; return its output, and the reason of a failure in one line."""
    program = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if program is None:
        return "", "ip is not installed"
    try:
        done = subprocess.run(  # noqa: S603 - addresses are parsed by the topology loader
            [program, *arguments],
            capture_output=True,
            text=True,
            check=False,
            process_group=0,  # Ctrl-C must not interrupt the removal of a fault
        )
    except OSError as exc:
        return "", f"ip cannot be run: {exc.strerror}"
    if done.returncode == 0:
        return done.stdout, None
    return "", " ".join(done.stderr.split()) or f"ip ended with {done.returncode}"
