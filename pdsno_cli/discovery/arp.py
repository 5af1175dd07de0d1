"""ARP (RFC 826) through scapy: the MAC of every target that is on a link of this machine.

A target behind a router, or on loopback, is not ARP's: without any on-link target the protocol
does not apply, which is no failure. scapy is imported only where there is one.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from pdsno_cli.discovery import onlink
from pdsno_cli.discovery.answers import ProbeUnavailableError
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import enlarge_buffers

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

RATE = 5000.0  # requests a second
TRIES = 2
TIMEOUT = 0.5  # seconds to wait for the answer of one try

_ETH_P_ARP = 0x0806
_PATCHED = "127.0.0.1"  # stands in the prebuilt frame where each request puts its own
_IS_AT = 2  # the ARP operation of an answer
_IS_AT_OCTETS = _IS_AT.to_bytes(2, "big")


def preload() -> None:
    """Import scapy's Ethernet layer; without IPv6, which it would spend its start on."""
    from scapy.config import conf

    conf.ipv6_enabled = False
    import scapy.layers.l2  # noqa: F401


def sweep(
    interfaces: Mapping[str, Mapping[str, str]],
    cancel: threading.Event,
    *,
    rate: float = RATE,
    tries: int = TRIES,
    timeout: float = TIMEOUT,
) -> dict[str, str]:
    """Return the MAC of every answering target of ``interfaces``, as ``onlink.on_link`` gives it.

    Raises ProbeUnavailableError when no interface could be used. Waits on interfaces in turn.
    """
    found: dict[str, str] = {}
    reasons = []
    for interface, targets in interfaces.items():
        try:
            exchange = _open(interface, targets)
        except ProbeUnavailableError as exc:
            reasons.append(str(exc))
            continue
        with contextlib.closing(exchange):
            indices = range(len(targets))
            try:
                request_all(
                    exchange, indices, rate=rate, tries=tries, timeout=timeout, cancel=cancel
                )
            except OSError as exc:  # the link went down in mid-sweep
                reasons.append(f"{interface}: {exc.strerror}")
        found.update(exchange.macs)
    if reasons and len(reasons) == len(interfaces) and not found:
        raise ProbeUnavailableError("; ".join(sorted(set(reasons))))
    return found


def _open(interface: str, targets: Mapping[str, str]) -> _Requests:
    preload()
    from scapy.config import conf

    try:
        # Bound to ARP alone: no filter to compile, nothing else to look at.
        link = conf.L2socket(iface=interface, type=_ETH_P_ARP, promisc=False)
    except PermissionError as exc:
        raise ProbeUnavailableError("needs CAP_NET_RAW") from exc
    except (OSError, ValueError) as exc:
        raise ProbeUnavailableError(f"cannot use {interface}: {exc}") from exc
    try:
        return _Requests(link, onlink.hardware_address(interface), targets)
    except (OSError, ValueError) as exc:
        link.close()
        raise ProbeUnavailableError(f"cannot use {interface}: {exc}") from exc


class _Requests:
    """The exchange: one broadcast request per target, sent from a prebuilt frame."""

    def __init__(self, link: Any, hardware: bytes, targets: Mapping[str, str]) -> None:
        from scapy.layers.l2 import ARP, Ether

        self._ether, self._arp = Ether, ARP
        self._link = link
        self._targets: Sequence[str] = tuple(targets)
        self._sources = tuple(socket.inet_aton(source) for source in targets.values())
        self._index = {target: index for index, target in enumerate(self._targets)}
        self._awaited = {socket.inet_aton(target) for target in self._targets}
        self.macs: dict[str, str] = {}
        request = Ether(src=hardware, dst=b"\xff" * 6) / ARP(
            op="who-has", hwsrc=hardware, psrc=_PATCHED, pdst=_PATCHED
        )
        self._frame = bytearray(bytes(request))
        enlarge_buffers(link.ins)
        link.ins.setblocking(False)

    def fileno(self) -> int:
        return int(self._link.ins.fileno())

    def close(self) -> None:
        self._link.close()

    def send(self, index: int) -> bool:
        # Ethernet takes 14 bytes; of ARP, the operation is at 6, the sender's address at 14, the
        # target's at 24.
        self._frame[28:32] = self._sources[index]
        self._frame[38:42] = socket.inet_aton(self._targets[index])
        self._link.ins.send(self._frame)
        return True

    def receive(self) -> Iterator[int | None]:
        while True:
            try:
                frame = self._link.ins.recv(2048)
            except BlockingIOError:
                return
            yield self._take(frame)

    def _take(self, frame: bytes) -> int | None:
        """Remember the MAC that an answer tells of a target; the first answer counts."""
        # Reading a frame costs more than sending one: only what may matter is read.
        if frame[20:22] != _IS_AT_OCTETS or frame[28:32] not in self._awaited:
            return None
        try:
            packet = self._ether(frame)
        except (struct.error, ValueError, IndexError):
            return None
        answer = packet.getlayer(self._arp)
        if answer is None or answer.op != _IS_AT or answer.psrc not in self._index:
            return None
        mac = normalise_mac(answer.hwsrc or "")
        if mac is None:
            return None
        self.macs.setdefault(answer.psrc, mac)
        self._awaited.discard(frame[28:32])
        return self._index[answer.psrc]
