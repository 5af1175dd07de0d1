"""Receives SNMP notifications: which devices say that they started, or that a link went up or down.

Traps of SNMPv1 (RFC 1157), v2c and v3, and informs of v2c (RFC 3416), which are answered. A
notification is a hint that anybody can send: it makes a controller look sooner, and nothing in it is
believed.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from pdsno_cli.discovery.snmp.ber import Oid, Value, read_items
from pdsno_cli.discovery.snmp.ber_write import write_item
from pdsno_cli.discovery.sockets import plain_source

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from pdsno_cli.spec.topology import Credential

Kind = Literal["coldStart", "warmStart", "linkDown", "linkUp"]

MAX_DATAGRAMS = 1000  # read at once: what floods the socket waits, and the kernel drops the rest

_KINDS: tuple[Kind, ...] = (
    "coldStart",
    "warmStart",
    "linkDown",
    "linkUp",
)  # generic-trap from 0 on
_SNMP_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
_SNMP_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)  # 1 is coldStart, 4 is linkUp
_V1, _V2C, _V3 = b"\x00", b"\x01", b"\x03"
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_RESPONSE, _V1_TRAP, _INFORM, _V2_TRAP = 0xA2, 0xA4, 0xA6, 0xA7
_DATAGRAM_BYTES = 65_535


class Trap(NamedTuple):
    """A notification: the address that it came from, what it says, and the answer to an inform."""

    source: str
    kind: Kind
    answer: bytes | None = None


def read_trap(
    data: bytes,
    source: str,
    communities: Container[bytes],
    users: Mapping[bytes, Credential] | None = None,
) -> Trap | None:
    """Return the notification in a datagram.

    None for anything else, another community or user, and notifications of other kinds. ``users``
    are those of SNMPv3 by name, their passwords resolved.
    """
    message = read_items(data)
    parts = read_items(message[0].octets) if message and message[0].tag == _SEQUENCE else []
    if users and parts and (parts[0].tag, parts[0].octets) == (_INTEGER, _V3):
        return _read_v3(data, source, users)
    if len(parts) < 3 or parts[0].tag != _INTEGER or parts[1].tag != _OCTETS:
        return None
    version, community, pdu = parts[:3]
    if community.octets not in communities:
        return None
    fields = read_items(pdu.octets)
    kind: Kind | None = None
    answer = None
    if version.octets == _V1 and pdu.tag == _V1_TRAP:
        kind = _generic(fields)
    elif version.octets == _V2C and pdu.tag in {_V2_TRAP, _INFORM}:
        kind = _notified(fields)
        if kind is not None and pdu.tag == _INFORM:
            reply = write_item(_RESPONSE, pdu.octets)
            body = write_item(_INTEGER, version.octets) + write_item(_OCTETS, community.octets)
            answer = write_item(_SEQUENCE, body + reply)
    return None if kind is None else Trap(source, kind, answer)


def _read_v3(data: bytes, source: str, users: Mapping[bytes, Credential]) -> Trap | None:
    from pdsno_cli.discovery.snmp.v3_traps import open_trap

    pdu = open_trap(data, users)
    kind = _notified(read_items(pdu.octets)) if pdu is not None and pdu.tag == _V2_TRAP else None
    return None if kind is None else Trap(source, kind)


def _generic(fields: list[Value]) -> Kind | None:
    """Return what a trap of SNMPv1 says: enterprise, address, generic-trap, and more."""
    number = fields[2].number if len(fields) > 2 else None
    return _KINDS[number] if number is not None and 0 <= number < len(_KINDS) else None


def _notified(fields: list[Value]) -> Kind | None:
    """Return what a notification of v2c says, by its snmpTrapOID."""
    for binding in read_items(fields[3].octets) if len(fields) > 3 else ():
        pair = read_items(binding.octets)
        if len(pair) > 1 and pair[0].oid == _SNMP_TRAP_OID:
            oid = pair[1].oid or ()
            known = oid[:-1] == _SNMP_TRAPS and 1 <= oid[-1] <= len(_KINDS)
            return _KINDS[oid[-1] - 1] if known else None
    return None


class TrapSocket:
    """Listens for notifications on a UDP port, by IPv6 where there is any; OSError if it cannot.

    Those with one of the ``credentials`` count, whose secrets are resolved.
    """

    def __init__(self, port: int, credentials: Iterable[Credential]) -> None:
        tried = tuple(credentials)
        self._communities = frozenset(
            item.community.encode() for item in tried if item.community is not None
        )
        self._users = {item.user.encode(): item for item in tried if item.user is not None}
        with ExitStack() as stack:
            self._sockets = [stack.enter_context(_listening(socket.AF_INET, port))]
            if socket.has_ipv6:
                with suppress(OSError):  # a machine without IPv6, or a port that is taken there
                    self._sockets.append(stack.enter_context(_listening(socket.AF_INET6, port)))
            self._stack = stack.pop_all()

    def receive(self) -> list[Trap]:
        """Return what has come since the last call, and answer the informs."""
        return [trap for sock in self._sockets for trap in self._receive(sock)]

    def _receive(self, sock: socket.socket) -> Iterator[Trap]:
        for _ in range(MAX_DATAGRAMS):
            try:
                data, peer = sock.recvfrom(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # the error of an answer to an inform
            trap = read_trap(data, plain_source(peer[0]), self._communities, self._users)
            if trap is None:
                continue
            yield trap
            if trap.answer is not None:
                with suppress(OSError):  # the sender asks again
                    sock.sendto(trap.answer, peer)

    def close(self) -> None:
        """Stop listening; harmless when repeated."""
        self._stack.close()


def _listening(family: int, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind(("", port))
    except BaseException:
        sock.close()
        raise
    return sock


def read_again(addresses: Iterable[str], port: int) -> None:
    """Make the next sweep read the details of the agents at these addresses and this port."""
    from pdsno_cli.discovery.snmp.probe import PROBE

    PROBE.read_again(addresses, port)
