"""ARP (RFC 826) through scapy: the MAC of every target that is on a link of this machine.

ARP does not reach a target behind a router, or on loopback. scapy is imported only where a target
is on a link.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from pdsno_cli.discovery import onlink
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.probe import Answers, Probe, ProbeRequest, ProbeUnavailableError
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import enlarge_buffers
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

RATE = FACTS["arp"].rate  # requests a second
TRIES = FACTS["arp"].tries
TIMEOUT = FACTS["arp"].timeout  # seconds to wait for the answer of one try

_ETH_P_ARP = 0x0806
_PATCHED = "127.0.0.1"  # a placeholder in the prebuilt frame; each request overwrites it
_IS_AT = 2  # the ARP operation of a reply
_IS_AT_OCTETS = _IS_AT.to_bytes(2, "big")


class ArpProbe:
    """Implements ``Probe``."""

    def preload(self) -> None:
        """Import scapy's Ethernet layer, without IPv6, which slows its start."""
        from scapy.config import conf

        conf.ipv6_enabled = False
        import scapy.layers.l2  # noqa: F401

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the MAC of every answering target that is on a link."""
        found = sweep(request.interfaces, request.cancel)
        return {address: {"mac": mac} for address, mac in found.items()}


PROBE: Probe = ArpProbe()


def sweep(
    interfaces: Mapping[str, Mapping[str, str]],
    cancel: threading.Event,
    *,
    rate: float = RATE,
    tries: int = TRIES,
    timeout: float = TIMEOUT,
) -> dict[str, str]:
    """Return the MAC of every answering target of ``interfaces``, as ``onlink.on_link`` returns them.

    Raises ProbeUnavailableError when no interface could be used. One interface after another.
    """
    found: dict[str, str] = {}
    reasons = []
    for interface, targets in interfaces.items():
        try:
            requests = _open(interface, targets)
        except ProbeUnavailableError as exc:
            reasons.append(str(exc))
            continue
        with contextlib.closing(requests):
            indices = range(len(targets))
            try:
                request_all(
                    requests, indices, rate=rate, tries=tries, timeout=timeout, cancel=cancel
                )
            except OSError as exc:  # the link went down in mid-sweep
                reasons.append(f"{interface}: {exc.strerror}")
        found.update(requests.macs)
    if reasons and len(reasons) == len(interfaces) and not found:
        raise ProbeUnavailableError("; ".join(sorted(set(reasons))))
    return found


def _open(interface: str, targets: Mapping[str, str]) -> _Requests:
    PROBE.preload()
    from scapy.config import conf

    try:
        # Bound to ARP alone: no filter to compile, no other frames to read.
        link = conf.L2socket(iface=interface, type=_ETH_P_ARP, promisc=False)
    except PermissionError as exc:
        raise ProbeUnavailableError(f"needs {FACTS['arp'].privilege}") from exc
    except (OSError, ValueError) as exc:
        raise ProbeUnavailableError(f"cannot use {interface}: {exc}") from exc
    try:
        return _Requests(link, onlink.hardware_address(interface), targets)
    except (OSError, ValueError) as exc:
        link.close()
        raise ProbeUnavailableError(f"cannot use {interface}: {exc}") from exc


class _Requests:
    """Implements ``ProbeSocket``: one broadcast request per target, sent from a prebuilt frame."""

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
            yield self._accept(frame)

    def _accept(self, frame: bytes) -> int | None:
        """Store the MAC of a target from its first answer; return the target, or None for junk."""
        # Parsing a frame costs more than sending one: only frames that may matter are parsed.
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
