"""SNMP v2c (RFC 3416) to many IPv4 addresses: the system group, then the first physical address.

One UDP socket and pysnmp's codec; replies are matched by request-id and address. Agents are not
trusted: what cannot be decoded is no answer, walks are bounded, text is cleaned.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]  # ships no types
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # ships no types

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.answers import ProbeUnavailableError, SystemInfo
from pdsno_cli.discovery.lenient import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, clean_text
from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.pace import ask
from pdsno_cli.discovery.sockets import Sender, enlarge_buffers

if TYPE_CHECKING:
    import threading

    from pdsno_cli.spec.topology import Snmp

Oid = tuple[int, ...]

RATE = 2000.0  # requests a second
BULK_ROWS = 25  # max-repetitions: the answer fits an Ethernet frame
MAX_BULKS = 20  # a walk ends here: an endless table costs 20 requests, not a cycle

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME)
IF_PHYS_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)

_DATAGRAM_BYTES = 16_384  # more than any answer to these questions
_ID_BASE = 0x4000_0000  # request-ids from here on always take four bytes


def sweep(
    targets: Sequence[str], settings: Snmp, cancel: threading.Event, *, rate: float = RATE
) -> dict[str, SystemInfo]:
    """Return what every answering agent among ``targets`` says of itself.

    ``settings.community`` is resolved. Raises ProbeUnavailableError when there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        enlarge_buffers(sock)
        unreachable.report(sock)
        agents = _Agents(sock, targets, settings)
        found = _ask_system(agents, range(len(targets)), rate, cancel)
        if agents.sender.trouble is not None and not found:
            raise ProbeUnavailableError(f"no request could be sent: {agents.sender.trouble}")
        macs = _walk_macs(agents, tuple(found), rate, cancel)
    return {targets[i]: replace(info, mac=macs.get(i)) for i, info in found.items()}


def _ask_system(
    agents: _Agents, indices: Sequence[int], rate: float, cancel: threading.Event
) -> dict[int, SystemInfo]:
    """GET the system group; an agent that refuses one object is asked again without it."""
    found: dict[int, SystemInfo] = {}
    wanted: dict[int, tuple[Oid, ...]] = dict.fromkeys(indices, SYSTEM)

    def take(index: int, pdu: Any) -> None:
        status, position = int(pdu[1]), int(pdu[2])
        if status == 0:
            found[index] = _system_info(_varbinds(pdu))
            del wanted[index]
            return
        found[index] = SystemInfo()  # it speaks, even if it says nothing
        refused = position - 1 if 0 < position <= len(wanted[index]) else len(wanted[index]) - 1
        wanted[index] = wanted[index][:refused] + wanted[index][refused + 1 :]

    pending = tuple(indices)
    for _ in SYSTEM:
        packets = {index: agents.get(wanted[index]) for index in pending}
        agents.converse(packets, take, rate=rate, cancel=cancel)
        pending = tuple(i for i in pending if i in found and wanted.get(i))
        if not pending:
            break
    return found


def _walk_macs(
    agents: _Agents, indices: Sequence[int], rate: float, cancel: threading.Event
) -> dict[int, str]:
    """Walk ifPhysAddress of each agent up to the first address that names a station.

    Rows come in the order of ifIndex, so the first is that of the lowest.
    """
    macs: dict[int, str] = {}
    starts: dict[int, Oid] = dict.fromkeys(indices, IF_PHYS_ADDRESS)

    def take(index: int, pdu: Any) -> None:
        start = starts.pop(index)
        if int(pdu[1]) != 0:
            return
        previous = start
        for oid, value in _varbinds(pdu):
            inside = oid[: len(IF_PHYS_ADDRESS)] == IF_PHYS_ADDRESS
            if not inside or oid <= previous or not isinstance(value, v2c.OctetString):
                return  # the end of the column, or of patience with this agent
            mac = format_mac(bytes(value))
            if mac is not None:
                macs[index] = mac
                return
            previous = oid
        if previous != start:
            starts[index] = previous

    for _ in range(MAX_BULKS):
        asked = dict(starts)
        packets = {index: agents.bulk(start) for index, start in asked.items()}
        agents.converse(packets, take, rate=rate, cancel=cancel)
        starts = {i: start for i, start in starts.items() if start != asked.get(i)}
        if not starts or cancel.is_set():
            break
    return macs


def _system_info(varbinds: Sequence[tuple[Oid, Any]]) -> SystemInfo:
    values = dict(varbinds)
    ticks = values.get(SYS_UP_TIME)
    object_id = values.get(SYS_OBJECT_ID)
    return SystemInfo(
        sys_name=_text(values.get(SYS_NAME), NAME_CHARACTERS),
        sys_descr=_text(values.get(SYS_DESCR), DESCRIPTION_CHARACTERS),
        sys_object_id=str(object_id) if isinstance(object_id, v2c.ObjectIdentifier) else None,
        uptime=int(ticks) / 100 if isinstance(ticks, v2c.TimeTicks) else None,
    )


def _text(value: Any, limit: int) -> str | None:
    return clean_text(bytes(value), limit) if isinstance(value, v2c.OctetString) else None


def _varbinds(pdu: Any) -> list[tuple[Oid, Any]]:
    return [(tuple(oid), value) for oid, value in v2c.apiPDU.get_varbinds(pdu)]


def _decode(data: bytes) -> Any:
    """Return the response PDU in a datagram, or None when there is none."""
    try:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        pdu = v2c.apiMessage.get_pdu(message)
        if not isinstance(pdu, v2c.ResponsePDU):
            return None
        _varbinds(pdu), int(pdu[0]), int(pdu[1]), int(pdu[2])
    except Exception:  # noqa: BLE001 - bytes from anybody: the codec raises whatever they provoke
        return None
    return pdu


class _Agents:
    """The exchange: every agent of a sweep behind one socket, one request each at a time."""

    def __init__(self, sock: socket.socket, targets: Sequence[str], settings: Snmp) -> None:
        self._sock = sock
        self._targets = targets
        self._settings = settings
        self._encoded: dict[tuple[Oid, ...], bytes] = {}
        self._packets: Mapping[int, bytes] = {}
        self._first_id = 0
        self._take: Callable[[int, Any], None]
        self._answered: set[int] = set()
        self._index = {target: index for index, target in enumerate(targets)}
        self.sender = Sender(sock)

    def get(self, oids: tuple[Oid, ...]) -> bytes:
        """Return a GetRequest, its request-id still blank."""
        if oids not in self._encoded:
            pdu = v2c.GetRequestPDU()
            v2c.apiPDU.set_defaults(pdu)
            v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
            self._encoded[oids] = self._encode(pdu)
        return self._encoded[oids]

    def bulk(self, start: Oid) -> bytes:
        """Return a GetBulkRequest for the rows after ``start``, its request-id still blank."""
        pdu = v2c.GetBulkRequestPDU()
        v2c.apiBulkPDU.set_defaults(pdu)
        v2c.apiBulkPDU.set_max_repetitions(pdu, BULK_ROWS)
        v2c.apiBulkPDU.set_varbinds(pdu, [(start, v2c.null)])
        return self._encode(pdu)

    def _encode(self, pdu: Any) -> bytes:
        v2c.apiPDU.set_request_id(pdu, _ID_BASE)
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._settings.community.encode())
        v2c.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))

    def converse(
        self,
        packets: Mapping[int, bytes],
        take: Callable[[int, Any], None],
        *,
        rate: float,
        cancel: threading.Event,
    ) -> None:
        """Send each target its packet; hand every first answer to ``take``."""
        self._packets, self._take, self._answered = packets, take, set()
        # Late answers to the questions before must not pass for answers to these.
        self._first_id = _ID_BASE + secrets.randbelow(_ID_BASE - len(self._targets))
        ask(
            self,
            tuple(packets),
            rate=rate,
            tries=self._settings.retries + 1,
            timeout=self._settings.timeout,
            cancel=cancel,
        )

    def fileno(self) -> int:
        return self._sock.fileno()

    def send(self, index: int) -> bool:
        packet = self._packets[index]
        # Behind seven bytes of headers and the community, the only part that is not ours to choose.
        at = packet.index(_BLANK_ID, 7 + len(self._settings.community.encode())) + 2
        identified = packet[:at] + (self._first_id + index).to_bytes(4, "big") + packet[at + 4 :]
        return self.sender.send(identified, (self._targets[index], self._settings.port))

    def receive(self) -> Iterator[int]:
        while True:
            try:
                data, (address, _) = self._sock.recvfrom(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # what an unreachable target left behind; its details are queued below
            index = self._match(data, address)
            if index is not None:
                self._answered.add(index)
                yield index
        for address, port in unreachable.closed_ports(self._sock):
            if port == self._settings.port and address in self._index:
                yield self._index[address]

    def _match(self, data: bytes, address: str) -> int | None:
        """Hand an answer on; the target that it came from, or None when it is not asked for."""
        pdu = _decode(data)
        if pdu is None:
            return None
        index = int(pdu[0]) - self._first_id
        if index not in self._packets or index in self._answered or self._targets[index] != address:
            return None
        self._take(index, pdu)
        return index


_BLANK_ID = b"\x02\x04" + _ID_BASE.to_bytes(4, "big")  # INTEGER, four bytes (X.690)
