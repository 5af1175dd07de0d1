"""Two network namespaces joined by one link, for benches of discovery: ours, and the hosts'."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import require, require_root
from tests.discovery import far_end

_SETUP = """
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
"""


class Arena:
    """The namespaces, each as long as a process of its own: nothing can be left behind."""

    def __init__(self, near: int, far: int) -> None:
        self._near, self._far = near, far
        self._hosts: list[int] = []

    def near(self, *command: str | Path) -> list[str | Path]:
        """Return a command that runs another at our end."""
        return _inside(self._near, *command)

    def far(self, *command: str | Path) -> list[str | Path]:
        """Return a command that runs another at the hosts' end."""
        return _inside(self._far, *command)

    def near_shell(self, script: str) -> None:
        subprocess.run(self.near("sh", "-ec", script), check=True)

    def addresses(self, addresses: Sequence[str], length: int) -> None:
        """Let the kernel at the far end answer for these addresses, with one MAC."""
        batch = "".join(f"addr add {address}/{length} dev far0\n" for address in addresses)
        command = self.far("ip", "-batch", "-")
        subprocess.run(command, input=batch, text=True, check=True)

    def hosts(self, **settings: object) -> None:
        """Let a ``FarEnd`` with these settings answer instead, with a MAC for each address."""
        self.no_hosts()
        subprocess.run(self.far("ip", "addr", "flush", "dev", "far0"), check=True)
        argument = json.dumps({"device": "far0"} | settings)
        command = self.far(sys.executable, far_end.__file__, argument)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        self._hosts.append(int(done.stdout))

    def agents(self) -> None:
        """Let an SNMP agent answer at every address that the kernel answers for."""
        command = self.far(sys.executable, far_end.__file__, "agents")
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        self._hosts.append(int(done.stdout))

    def no_hosts(self) -> None:
        """End what ``hosts`` and ``agents`` started."""
        for process in self._hosts:
            with suppress(ProcessLookupError):
                far_end.end(process)
        self._hosts.clear()


@contextmanager
def arena(own: str) -> Iterator[Arena]:
    """Yield two namespaces, joined by near0 and far0; ``own`` is our address with its length."""
    require_root()
    holders = [_hold(), _hold()]
    made = Arena(*(holder.pid for holder in holders))
    try:
        subprocess.run(made.far("sh", "-ec", _SETUP), check=True)
        link = f"ip link add near0 type veth peer name far0 netns {holders[1].pid}"
        made.near_shell(f"{_SETUP}{link}\nip addr add {own} dev near0\nip link set near0 up")
        subprocess.run(made.far("ip", "link", "set", "far0", "up"), check=True)
        yield made
    finally:
        made.no_hosts()
        for holder in holders:
            holder.kill()
            holder.wait()


def _hold() -> subprocess.Popen[bytes]:
    holder = subprocess.Popen([require("unshare"), "-n", "sleep", "3600"])
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{holder.pid}/ns/net").readlink() == own:
        time.sleep(0.01)
    return holder


def _inside(process: int, *command: str | Path) -> list[str | Path]:
    return [require("nsenter"), "-t", str(process), "-n", *command]
