"""The hosts at the far end of a link: ARP with a MAC each, ICMP echo and SNMP, late or lossy if wanted.

A program: ``far_end.py '{"device": "far0", "first": "10.101.1.1", "count": 300}'`` prints its
process id once the hosts answer. No address is configured, so the kernel stays out of it. With
``agents`` it answers SNMP alone, for all addresses that the kernel has.
"""

from __future__ import annotations

import heapq
import ipaddress
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_IP_PKTINFO = 8  # no constant in the library before 3.13
_NO_OBJECT, _END = b"\x80\x00", b"\x82\x00"


def tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content


def read(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return the tag and the content at a place, and where the next begins."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
    return tag, data[at : at + length], at + length


def items(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        tag, content, at = read(data, at)
        found.append((tag, content))
    return found


def oid(text: str) -> bytes:
    numbers = [*map(int, text.split("."))]
    octets = [numbers[0] * 40 + numbers[1]]
    for number in numbers[2:]:
        group = [number & 0x7F]
        while number := number >> 7:
            group.insert(0, number & 0x7F | 0x80)
        octets += group
    return bytes(octets)


IF_PHYS_ADDRESS = oid("1.3.6.1.2.1.2.2.1.6")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
OBJECTS = {
    oid("1.3.6.1.2.1.1.1.0"): tlv(4, b"RouterOS CRS326-24G-2S+"),
    oid("1.3.6.1.2.1.1.2.0"): tlv(6, oid("1.3.6.1.4.1.14988.1")),
    oid("1.3.6.1.2.1.1.3.0"): tlv(0x43, (100_000).to_bytes(4, "big")),
}


@dataclass
class FarEnd:
    """All hosts: ``count`` addresses from ``first``, ``step`` apart. Times are in seconds.

    Each direction of each exchange is lost with the probability ``loss``, and takes ``delay`` give
    or take ``jitter``; hosts in ``slow`` take as long as it says on top, and those in ``slow_arp``
    to answer ARP.
    """

    device: str
    first: str
    count: int
    step: int = 1
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    slow: dict[str, float] = field(default_factory=dict)
    slow_arp: dict[str, float] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)  # to ICMP and SNMP
    snmp: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        self.macs = self.hosts()
        self._slow, self._slow_arp = (
            {socket.inet_aton(host): seconds for host, seconds in item.items() if ":" not in host}
            for item in (self.slow, self.slow_arp)
        )
        self._silent = set(map(socket.inet_aton, self.silent))
        self._due: list[tuple[float, int, bytes]] = []
        self._random = random.Random(self.seed)
        self._count = 0
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._sock.setsockopt(socket.SOL_SOCKET, 33, 16 * 1024 * 1024)  # SO_RCVBUFFORCE
        self._sock.setsockopt(socket.SOL_SOCKET, 32, 16 * 1024 * 1024)  # SO_SNDBUFFORCE
        self._sock.bind((self.device, 3))  # ETH_P_ALL
        self._sock.setblocking(False)

    def hosts(self) -> dict[bytes, bytes]:
        """Return the MAC of each host by its address."""
        first = int(ipaddress.IPv4Address(self.first))
        numbers = [first + self.step * n for n in range(self.count)]
        return {n.to_bytes(4, "big"): b"\x02\x10" + n.to_bytes(4, "big") for n in numbers}

    def serve(self) -> None:
        poller = select.poll()
        poller.register(self._sock, select.POLLIN)
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) * 1000 if self._due else None
            if poller.poll(wait):
                self._receive()
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                self._sock.send(heapq.heappop(self._due)[2])

    def _receive(self) -> None:
        for _ in range(64):
            try:
                frame, origin = self._sock.recvfrom(65535)
            except BlockingIOError:
                return
            if origin[2] != 4:  # PACKET_OUTGOING
                self.answer(frame)

    def answer(self, frame: bytes) -> None:
        """Answer a frame, or not."""
        kind = frame[12:14]
        answer, slow = None, self._slow
        if kind == b"\x08\x06" and frame[20:22] == b"\0\x01":
            host, answer, slow = frame[38:42], self._arp(frame), self._slow_arp
        elif kind == b"\x08\x00":
            host, answer = frame[30:34], self._ip(frame)
        if answer is not None:
            self._send(answer, slow.get(host, 0.0))

    def _send(self, frame: bytes, late: float) -> None:
        alive = 1.0 - self.loss
        if self.loss and self._random.random() > alive * alive:
            return
        if self.delay:
            late += sum(self.delay + self._random.uniform(-1, 1) * self.jitter for _ in "ab")
        if not late:
            self._sock.send(frame)
            return
        self._count += 1
        heapq.heappush(self._due, (time.monotonic() + late, self._count, frame))

    def _arp(self, frame: bytes) -> bytes | None:
        mac = self.macs.get(frame[38:42])
        if mac is None:
            return None
        head = frame[6:12] + mac + frame[12:20] + b"\0\x02"
        return head + mac + frame[38:42] + frame[22:28] + frame[28:32]

    def _ip(self, frame: bytes) -> bytes | None:
        host, end = frame[30:34], 14 + (frame[14] & 15) * 4
        mac = self.macs.get(host)
        if mac is None or host in self._silent or frame[:6] != mac:
            return None
        data = None
        if frame[23] == 1 and frame[end] == 8:
            body = b"\0" + frame[end + 1 : end + 2] + b"\0\0" + frame[end + 4 :]
            data = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        elif frame[23] == 17 and self.snmp and frame[end + 2 : end + 4] == b"\0\xa1":
            length = int.from_bytes(frame[end + 4 : end + 6], "big")
            reply = answer_snmp(host, mac, frame[end + 8 : end + length])
            data = (
                frame[end + 2 : end + 4]
                + frame[end : end + 2]
                + (8 + len(reply)).to_bytes(2, "big")
                + b"\0\0"
                + reply
            )
        if data is None:
            return None
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0, 64, frame[23], 0)
        head += host + frame[26:30]
        head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
        return frame[6:12] + mac + b"\x08\0" + head + data


def answer_snmp(host: bytes, mac: bytes, data: bytes) -> bytes:
    """Return the answer of an agent to a GET or a GETBULK of SNMP v1 or v2c."""
    _, message, _ = read(data, 0)
    version, community, (kind, pdu) = items(message)
    request, _, repetitions, (_, asked) = items(pdu)
    names, bindings = tlv(4, b"far-%d" % int.from_bytes(host[-2:], "big")), b""
    for _, binding in items(asked):
        (_, name), _ = items(binding)
        if kind == 0xA0:
            value = names if name == SYS_NAME else OBJECTS.get(name, _NO_OBJECT)
            bindings += tlv(0x30, tlv(6, name) + value)
            continue
        for number in range(1, 1 + max(1, repetitions[1][-1])):
            if name != IF_PHYS_ADDRESS or number > 4:
                bindings += tlv(0x30, tlv(6, name) + _END)
                break
            own = mac[:5] + bytes((mac[5] + number - 1 & 255,))
            row = IF_PHYS_ADDRESS + bytes((number,))
            bindings += tlv(0x30, tlv(6, row) + tlv(4, own))
    fine = tlv(2, b"\0")
    body = tlv(2, request[1]) + fine + fine + tlv(0x30, bindings)
    return tlv(0x30, tlv(2, version[1]) + tlv(4, community[1]) + tlv(0xA2, body))


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def serve_agents() -> Callable[[], None]:
    """Return what answers SNMP at every address of this machine, from the address that was asked."""
    four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    four.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    poller = select.poll()
    for sock, any_address in ((four, "0.0.0.0"), (six, "::")):
        sock.setsockopt(socket.SOL_SOCKET, 33, 16 * 1024 * 1024)  # SO_RCVBUFFORCE
        sock.bind((any_address, 161))
        poller.register(sock, select.POLLIN)

    def serve() -> None:
        while True:
            for descriptor, _ in poller.poll():
                sock = four if descriptor == four.fileno() else six
                data, ((level, kind, info),), _, client = sock.recvmsg(4096, 64)
                host = info[8:12] if sock is four else info[:16]
                origin = struct.pack("=i4s4s", 0, host, b"\0" * 4) if sock is four else info
                answer = answer_snmp(host, b"\2\x10" + host[-4:], data)
                sock.sendmsg([answer], [(level, kind, origin)], 0, client)

    return serve


def end(process: int) -> None:
    """End a process that this program left behind."""
    os.kill(process, signal.SIGKILL)


def run(kind: type[FarEnd]) -> None:
    """Serve in a process of its own, whose id is printed."""
    serve = serve_agents() if sys.argv[1] == "agents" else kind(**json.loads(sys.argv[1])).serve
    child = os.fork()
    if child:
        print(child, flush=True)  # noqa: T201  # for the one who is to end it
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    serve()


if __name__ == "__main__":
    run(FarEnd)
