"""A network namespace at the far end of a link, which lives as long as this process (Linux, root).

The near end is a veth with routes to prefixes that become on-link. The namespace has no name: the kernel
removes it, and with it the link, its address and its routes, when the last of its sockets is closed, also
when the process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

_CLONE_NEWNET = 0x4000_0000  # sched.h
_RCVBUFFORCE = 33  # SO_RCVBUFFORCE, socket(7)
_BUFFER_BYTES = 8 << 20
_FAR = "far0"
# RFC 7600: an IPv4 address for use as a source where a host has no other. Two links may have it.
_SOURCE = "192.0.0.8"
_PROTOCOL = "77"  # as in local_routes
_MARK = "pdsno lab"
_Result = TypeVar("_Result")


class PrivateLinkError(Exception):
    """The link cannot be made; the message is part of a sentence."""


class PrivateLink:
    """The link called ``name``, at most 15 bytes; not yet made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._space: int | None = None  # a descriptor of the namespace
        self._made = False  # True while the link of that name is this one

    def open(self, prefixes: Iterable[str]) -> None:
        """Make namespace and link, with routes to these prefixes; raises PrivateLinkError."""
        self._space = _on_thread(_new_namespace)
        try:
            remove_left(self.name)
            far = f"/proc/{os.getpid()}/fd/{self._space}"
            _ip("link", "add", self.name, "type", "veth", "peer", "name", _FAR, "netns", far)
            self._made = True
            mark = f"{_MARK} {os.getpid()} {_started(os.getpid())}"
            _ip("link", "set", self.name, "alias", mark)
            # Without an IPv6 address of its own the link is silent.
            _ip("link", "set", self.name, "addrgenmode", "none", "up")
            _ip("address", "add", f"{_SOURCE}/32", "dev", self.name)
            self.within(lambda: _ip("link", "set", _FAR, "addrgenmode", "none", "up"))
            for prefix in prefixes:
                self.route(prefix)
        except PrivateLinkError:
            self.close()
            raise

    def route(self, prefix: str) -> None:
        """Make a prefix on-link; raises PrivateLinkError."""
        _ip("route", "add", prefix, "dev", self.name, "proto", _PROTOCOL, "src", _SOURCE)

    def add_address(self, address: str) -> None:
        """Give this machine an IPv6 address, with its length, on the link; raises PrivateLinkError."""
        _ip("-6", "address", "add", address, "dev", self.name, "nodad")

    def unroute(self, prefix: str) -> None:
        """Undo ``route``."""
        with contextlib.suppress(PrivateLinkError):
            _ip("route", "del", prefix, "dev", self.name)

    def packet_socket(self, protocol: int) -> socket.socket:
        """Return a socket for the frames of one Ethernet type at the far end, not blocking."""

        def opened() -> socket.socket:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER_BYTES)
            sock.setblocking(False)
            sock.bind((_FAR, protocol))
            return sock

        return self.within(opened)

    def within(self, work: Callable[[], _Result]) -> _Result:
        """Call a function in the namespace, on a thread of its own."""
        space = self._space
        assert space is not None  # it is open

        def enter() -> _Result:
            _call("setns", space, _CLONE_NEWNET)
            return work()

        return _on_thread(enter)

    def close(self) -> None:
        """Remove link and namespace; harmless when repeated. Close its sockets first."""
        if self._space is not None:
            os.close(self._space)
            self._space = None
        if self._made:
            self._made = False
            with contextlib.suppress(PrivateLinkError):
                _ip("link", "del", self.name)


def remove_left(name: str) -> None:
    """Remove the link of that name if the process that made it is gone.

    Raises PrivateLinkError if it lives, or if the link is another's.
    """
    alias = _alias(name)
    if alias is None:
        return
    words = alias.removeprefix(_MARK).split()
    if not alias.startswith(_MARK) or len(words) != 2:
        raise PrivateLinkError(f"a link {name} exists that is not ours: ip link del {name}")
    if words[0].isdecimal() and _started(int(words[0])) == words[1]:
        raise PrivateLinkError(f"process {words[0]} has it: does this lab run already?")
    with contextlib.suppress(PrivateLinkError):  # the kernel may be about to remove it, too
        _ip("link", "del", name)


def _alias(name: str) -> str | None:
    """Return the alias of a link, empty if it has none; None without such a link."""
    try:
        lines = _ip("-o", "link", "show", name).splitlines()
    except PrivateLinkError:
        return None
    _, found, text = (lines[0] if lines else "").partition("\\    alias ")
    return text.strip() if found else ""


def _started(pid: int) -> str | None:
    """Return the start of a process in ticks (proc_pid_stat(5)), None if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _new_namespace() -> int:
    _call("unshare", _CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _call(name: str, *arguments: int) -> None:
    if sys.platform != "linux":
        raise PrivateLinkError("only Linux has network namespaces")
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise PrivateLinkError(f"needs root, or CAP_SYS_ADMIN ({os.strerror(number)})")


def _on_thread(work: Callable[[], _Result]) -> _Result:
    """Call a function on a thread of its own: a namespace is a thread's."""
    results: list[_Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as exc:  # noqa: BLE001 - raised again on the caller's thread
            failures.append(exc)

    thread = threading.Thread(target=run, name="namespace")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _ip(*arguments: str) -> str:
    """Run iproute2; return its output. Raises PrivateLinkError with the reason in one line."""
    program = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
    if program is None:
        raise PrivateLinkError("needs iproute2: apt install iproute2")
    done = subprocess.run(  # noqa: S603 - names and prefixes are our own
        [program, *arguments], capture_output=True, text=True, check=False, process_group=0
    )
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"ip ended with {done.returncode}"
        raise PrivateLinkError(f"ip {' '.join(arguments[:2])}: {reason}")
    return done.stdout
