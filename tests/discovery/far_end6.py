"""The IPv6 hosts at the far end of a link: neighbour solicitations, echo, all-nodes echo and SNMP.

A program as ``far_end.py`` is: ``far_end6.py '{"device": "far0", "first": "fd00:1::10", "count": 20}'``.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass, field

sys.path.insert(0, __file__.rpartition("/tests/")[0])

from tests.discovery.far_end import FarEnd, answer_snmp, checksum, run

_UDP, _ICMP6 = 17, 58
_ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")
_LINK_LOCAL = socket.inet_pton(socket.AF_INET6, "fe80::")[:8]


@dataclass
class FarEnd6(FarEnd):
    """Hosts as those of ``FarEnd``, each also with the link-local address of the same identifier.

    To the all-nodes echo those in ``deaf`` do not answer, and those in ``link_local`` from there.
    """

    deaf: list[str] = field(default_factory=list)
    link_local: list[str] = field(default_factory=list)

    def hosts(self) -> dict[bytes, bytes]:
        first = int(ipaddress.IPv6Address(self.first))
        numbers = [first + self.step * n for n in range(self.count)]
        found = {n.to_bytes(16, "big"): b"\x02\x10" + n.to_bytes(16, "big")[-4:] for n in numbers}
        self._deaf, self._link_local, self._mute = (
            {socket.inet_pton(socket.AF_INET6, host) for host in some}
            for some in (self.deaf, self.link_local, self.silent)
        )
        self.silent = []
        self._global = dict(found)
        return found | {_LINK_LOCAL + host[8:]: mac for host, mac in found.items()}

    def answer(self, frame: bytes) -> None:
        if frame[12:14] != b"\x86\xdd" or len(frame) < 62:
            return
        kind, target, body = frame[20], frame[38:54], frame[54:]
        if kind == _ICMP6 and body[0] == 135 and (mac := self.macs.get(body[8:24])):
            data = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + body[8:24] + b"\2\1" + mac
            self._reply(frame, mac, body[8:24], _ICMP6, data)
        elif kind == _ICMP6 and body[0] == 128 and target == _ALL_NODES:
            for host, mac in self._global.items():
                if host not in self._deaf:
                    own = _LINK_LOCAL + host[8:] if host in self._link_local else host
                    self._reply(frame, mac, own, _ICMP6, b"\x81\0\0\0" + body[4:])
        elif (mac := self.macs.get(target)) and target not in self._mute and frame[:6] == mac:
            if kind == _ICMP6 and body[0] == 128:
                self._reply(frame, mac, target, _ICMP6, b"\x81\0\0\0" + body[4:])
            elif kind == _UDP and self.snmp and body[2:4] == b"\0\xa1":
                length = int.from_bytes(body[4:6], "big")
                reply = answer_snmp(target, mac, body[8:length])
                head = body[2:4] + body[:2] + (8 + len(reply)).to_bytes(2, "big") + b"\0\0"
                self._reply(frame, mac, target, _UDP, head + reply)

    def _reply(self, frame: bytes, mac: bytes, own: bytes, kind: int, data: bytes) -> None:
        to = frame[22:38]
        pseudo = own + to + struct.pack("!IHBB", len(data), 0, 0, kind)
        at = 2 if kind == _ICMP6 else 6
        total = checksum(pseudo + data).to_bytes(2, "big")
        data = data[:at] + total + data[at + 2 :]
        head = struct.pack("!IHBB", 0x60000000, len(data), kind, 255) + own + to
        host = socket.inet_ntop(socket.AF_INET6, own)
        self._send(frame[6:12] + mac + b"\x86\xdd" + head + data, self.slow.get(host, 0.0))


if __name__ == "__main__":
    run(FarEnd6)
