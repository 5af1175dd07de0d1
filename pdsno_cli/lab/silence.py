"""Makes the kernel stop answering ICMP for a loopback address, as a switched-off device would.

Linux answers echo for all of 127.0.0.0/8. A ``prohibit`` route for one address in the local
routing table ends that, and UDP with it; it needs CAP_NET_ADMIN and iproute2. Such routes carry
a protocol number of our own, so what a killed lab left behind is found and taken away.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable

_PROTOCOL = "77"  # rtnetlink(7) rtm_protocol: unassigned in rt_protos, marks our routes
_TABLE = ("table", "local", "proto", _PROTOCOL)


def silence(address: str) -> str | None:
    """Silence an address; None when done, else one sentence that says why it still answers."""
    if sys.platform != "linux":
        return "only Linux can silence a loopback address"
    reason = _ip("route", "replace", "prohibit", f"{address}/32", *_TABLE)
    return f"needs CAP_NET_ADMIN and iproute2 ({reason})" if reason is not None else None


def restore(address: str) -> None:
    """Let the kernel answer for an address again; nothing happens where it does."""
    if sys.platform == "linux":
        _ip("route", "del", "prohibit", f"{address}/32", *_TABLE)


def leftovers(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``addresses`` that an earlier lab left silenced."""
    if sys.platform != "linux":
        return ()
    program = _program()
    if program is None:
        return ()
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        [program, "-o", "route", "show", *_TABLE], capture_output=True, text=True, check=False
    )
    silenced = {
        fields[1].removesuffix("/32")
        for fields in map(str.split, listed.stdout.splitlines())
        if len(fields) > 1 and fields[0] == "prohibit"
    }
    return tuple(address for address in addresses if address in silenced)


def _program() -> str | None:
    return shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")


def _ip(*arguments: str) -> str | None:
    """Run iproute2; None when it succeeded, else its complaint in one line."""
    program = _program()
    if program is None:
        return "ip is not installed"
    done = subprocess.run(  # noqa: S603 - addresses come parsed from the topology
        [program, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return None
    return " ".join(done.stderr.split()) or f"ip ended with {done.returncode}"
