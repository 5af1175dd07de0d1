"""A fast SNMP v2c agent that serves a table of objects, well or oddly; its values are pysnmp's.

``python -m tests.discovery.snmp.table_agent FIRST COUNT PORT ROWS`` serves an ifTable of ROWS rows at COUNT
addresses from FIRST on, in a process of its own, and prints a line when it listens.
"""

from __future__ import annotations

import ipaddress
import select
import socket
import sys
from bisect import bisect_right
from dataclasses import dataclass, field

from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

GET, NEXT, BULK = 0xA0, 0xA1, 0xA5
TOO_BIG, NO_SUCH_NAME, GEN_ERR = 1, 2, 5
NO_OBJECT, END = b"\x80\x00", b"\x82\x00"


def value(item):
    """Return a Python value as pysnmp's: text, octets, an OID, an address, a number."""
    if isinstance(item, (str, bytes)):
        return v2c.OctetString(item.encode() if isinstance(item, str) else item)
    if isinstance(item, tuple):
        return v2c.ObjectIdentifier(item)
    if isinstance(item, ipaddress.IPv4Address):
        return v2c.IpAddress(str(item))
    return v2c.Integer32(item) if isinstance(item, int) else item


def tlv(tag, body):
    size = len(body)
    if size < 128:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + body


def parse(data):
    """Return tag and content of each item in ``data``."""
    at, found = 0, []
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        found.append((tag, data[at : at + size]))
        at += size
    return found


def number(octets):
    return int.from_bytes(octets, "big")


@dataclass
class TableAgent:
    """Answers requests for ``objects``, values by OID; the other members are its oddities."""

    objects: dict
    community: bytes = b"public"
    varbinds: int = 60  # in an answer to GETBULK
    single: bool = False  # tooBig for more than one varbind
    bulk: bool = True  # else GETBULK is ignored
    v1: bool = False  # noSuchName at the end of a table
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self.change(self.objects)

    def change(self, objects):
        """Serve other objects from now on."""
        self.objects = objects
        self.order = sorted(objects)
        names = [encoder.encode(v2c.ObjectIdentifier(oid)) for oid in self.order]
        self.bindings = [
            tlv(0x30, name + encoder.encode(value(objects[oid])))
            for name, oid in zip(names, self.order, strict=True)
        ]
        self.places = {parse(name)[0][1]: at for at, name in enumerate(names)}

    def __call__(self, data):
        message = parse(parse(data)[0][1])
        if message[1][1] != self.community:
            return None
        kind, content = message[2]
        (_, request_id), (_, first), (_, second), (_, listed) = parse(content)
        names = [parse(binding)[0][1] for _, binding in parse(listed)]
        self.asked.append((kind, names))
        if kind == BULK and not self.bulk:
            return None
        if self.single and len(names) > 1:
            return self.respond(message, request_id, listed, TOO_BIG)
        if kind == BULK:
            bindings = self.get_bulk(names, number(first), number(second))
        elif kind == NEXT:
            bindings = [self.following(self.place(name), name)[0] for name in names]
        else:
            bindings = [self.exact(name) for name in names]
        for index, binding in enumerate(bindings):
            if self.v1 and binding.endswith((END, NO_OBJECT)):
                return self.respond(message, request_id, listed, NO_SUCH_NAME, index + 1)
        return self.respond(message, request_id, b"".join(bindings))

    def respond(self, message, request_id, bindings, status=0, index=0):
        pdu = tlv(0xA2, b"".join((tlv(2, request_id), tlv(2, bytes((status,))), tlv(2, bytes((index,))), tlv(0x30, bindings))))  # fmt: skip
        return tlv(0x30, tlv(2, message[0][1]) + tlv(4, message[1][1]) + pdu)

    def place(self, name):
        """Return the position of the first object behind a name."""
        at = self.places.get(name)
        if at is not None:
            return at + 1
        oid = parse_oid(name)
        return bisect_right(self.order, oid)

    def following(self, at, name):
        if at >= len(self.bindings):
            return tlv(0x30, tlv(6, name) + END), at
        return self.bindings[at], at + 1

    def exact(self, name):
        at = self.places.get(name)
        return tlv(0x30, tlv(6, name) + NO_OBJECT) if at is None else self.bindings[at]

    def get_bulk(self, names, once, rows):
        places = [self.place(name) for name in names]
        found = [
            self.following(at, name)[0] for at, name in zip(places[:once], names, strict=False)
        ]
        names, places = names[once:], places[once:]
        if len(names) == 1:
            at = places[0]
            found += self.bindings[at : at + min(rows, self.varbinds)]
            return found or [tlv(0x30, tlv(6, names[0]) + END)]
        for _ in range(rows):
            for column, at in enumerate(places):
                if len(found) >= max(self.varbinds, len(names) + once):
                    return found
                binding, places[column] = self.following(at, names[column])
                found.append(binding)
        return found


def parse_oid(name):
    parts, part = [], 0
    for octet in name:
        part = part << 7 | octet & 0x7F
        if not octet & 0x80:
            parts.append(part)
            part = 0
    return (min(parts[0] // 40, 2), parts[0] - 40 * min(parts[0] // 40, 2), *parts[1:])


def if_table(rows):
    """Return an ifTable (RFC 2863) with every column."""
    table = (1, 3, 6, 1, 2, 1, 2, 2, 1)
    columns = {
        1: lambda n: n, 2: lambda n: f"GigabitEthernet1/0/{n}", 3: lambda _: 6, 4: lambda _: 1500,
        5: lambda _: v2c.Gauge32(1_000_000_000), 6: lambda n: b"\x00\x1b\x54\xaa" + n.to_bytes(2, "big"),
        7: lambda _: 1, 8: lambda n: 1 + n % 2, 9: lambda n: v2c.TimeTicks(4000 + n),
    }  # fmt: skip
    columns |= dict.fromkeys(range(10, 22), lambda n: v2c.Counter32(n * 7919))
    columns[22] = lambda _: (0, 0)
    return {
        (*table, column, n): make(n) for column, make in columns.items() for n in range(1, rows + 1)
    }


def main(first, count, port, rows):
    agent = TableAgent(if_table(rows) | {(1, 3, 6, 1, 2, 1, 11, 1, 0): 0})
    poller, sockets = select.poll(), {}
    for offset in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((str(ipaddress.IPv4Address(first) + offset), port))
        sockets[sock.fileno()] = sock
        poller.register(sock, select.POLLIN)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while True:
        for descriptor, _ in poller.poll():
            data, peer = sockets[descriptor].recvfrom(65535)
            agent.asked.clear()
            sockets[descriptor].sendto(agent(data), peer)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
