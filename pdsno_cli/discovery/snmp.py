"""SNMP v2c (RFC 3416) to many IPv4 addresses: the system group, then the first physical address.

One UDP socket. pysnmp encodes requests; ``ber`` decodes answers, tolerant of agents' mistakes, and
they are matched by address and request-id. Agents are not trusted: one answer to a request counts,
undecodable ones are ignored, walks are bounded, text is cleaned and cut.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from pyasn1.codec.ber import encoder  # type: ignore[import-untyped]  # ships no types
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # ships no types

from pdsno_cli.discovery import unreachable
from pdsno_cli.discovery.ber import Oid, Response, Value, read_response
from pdsno_cli.discovery.mac import format_mac
from pdsno_cli.discovery.probe import Answers, Probe, ProbeRequest, ProbeUnavailableError
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import DatagramSender, enlarge_buffers
from pdsno_cli.discovery.text import DESCRIPTION_CHARACTERS, NAME_CHARACTERS, clean_text
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading

    from pdsno_cli.discovery.snmp_identity import Identities
    from pdsno_cli.spec.topology import Snmp

RATE = FACTS["snmp"].rate  # requests a second
BULK_ROWS = 25  # max-repetitions: the answer fits an Ethernet frame
MAX_BULKS = 20  # an endless table costs 20 requests, not a cycle

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME)
IF_PHYS_ADDRESS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)

_DATAGRAM_BYTES = 16_384  # more than any answer to these requests
_ID_BASE = 0x4000_0000  # request-ids from here on always take four bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """The system group and MAC of an SNMP agent; None where it sends no usable value.

    ``uptime`` is in seconds. ``mac`` is six lower-case hex pairs joined by colons. The names are
    those of the fields that the registry lists.
    """

    sys_name: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    uptime: float | None = None
    mac: str | None = None


class SnmpProbe:
    """Implements ``Probe``."""

    def __init__(self) -> None:
        self._identified: Any = None

    def preload(self) -> None:
        """Load the rules of identification; this module imports pysnmp itself."""
        self._identities()

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return the system group, the MAC and the identity of every agent that answers."""
        found = sweep(request.targets, request.snmp, request.cancel)
        facts = self._identities().of(found, request.snmp, request.cancel) if found else {}
        return {
            address: {name: value for name, value in asdict(info).items() if value is not None}
            | facts.get(address, {})
            for address, info in found.items()
        }

    def _identities(self) -> Identities:
        if self._identified is None:
            from pdsno_cli.discovery.snmp_identity import Identities

            self._identified = Identities()
        return cast("Identities", self._identified)


PROBE: Probe = SnmpProbe()


def sweep(
    targets: Sequence[str], settings: Snmp, cancel: threading.Event, *, rate: float = RATE
) -> dict[str, SystemInfo]:
    """Return the system group and MAC of every agent among ``targets`` that answers.

    ``settings.community`` is resolved. Raises ProbeUnavailableError when there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        enlarge_buffers(sock)
        unreachable.enable(sock)
        agents = Agents(sock, targets, settings)
        found = _get_system(agents, range(len(targets)), rate, cancel)
        if agents.sender.error is not None and not found:
            raise ProbeUnavailableError(f"no request could be sent: {agents.sender.error}")
        macs = _walk_macs(agents, tuple(found), rate, cancel)
    return {targets[i]: replace(info, mac=macs.get(i)) for i, info in found.items()}


def _get_system(
    agents: Agents, indices: Sequence[int], rate: float, cancel: threading.Event
) -> dict[int, SystemInfo]:
    """GET the system group; after an error for one object, GET it again without that object."""
    found: dict[int, SystemInfo] = {}
    wanted: dict[int, tuple[Oid, ...]] = {}  # of agents that returned an error for an object

    def packet(index: int) -> bytes:
        return agents.get(wanted.get(index, SYSTEM))

    def accept(index: int, response: Response) -> None:
        oids, position = wanted.pop(index, SYSTEM), response.error_index
        if response.error_status == 0:
            found[index] = _system_info(response.bindings)
            return
        found[index] = SystemInfo()  # it answered, if only with an error
        refused = position - 1 if 0 < position <= len(oids) else len(oids) - 1
        wanted[index] = oids[:refused] + oids[refused + 1 :]

    pending = indices
    for _ in SYSTEM:
        agents.request(pending, packet, accept, rate=rate, cancel=cancel)
        pending = tuple(index for index, oids in wanted.items() if oids)
        if not pending:
            break
    return found


def _walk_macs(
    agents: Agents, indices: Sequence[int], rate: float, cancel: threading.Event
) -> dict[int, str]:
    """Walk ifPhysAddress of each agent up to the first address that identifies a device.

    Rows come in the order of ifIndex, so the first is that of the lowest.
    """
    macs: dict[int, str] = {}
    starts: dict[int, Oid] = dict.fromkeys(indices, IF_PHYS_ADDRESS)

    def accept(index: int, response: Response) -> None:
        start = starts.pop(index)
        if response.error_status != 0:
            return
        previous = start
        for oid, value in response.bindings:
            inside = oid[: len(IF_PHYS_ADDRESS)] == IF_PHYS_ADDRESS
            if not inside or oid <= previous or value.text is None:
                return  # the end of the column, or an agent whose OIDs do not rise
            mac = format_mac(value.text)
            if mac is not None:
                macs[index] = mac
                return
            previous = oid
        if previous != start:
            starts[index] = previous

    for _ in range(MAX_BULKS):
        before = dict(starts)
        packets = {index: agents.bulk(start) for index, start in before.items()}
        agents.request(tuple(packets), packets.__getitem__, accept, rate=rate, cancel=cancel)
        starts = {i: start for i, start in starts.items() if start != before.get(i)}
        if not starts or cancel.is_set():
            break
    return macs


def _system_info(bindings: Iterable[tuple[Oid, Value]]) -> SystemInfo:
    values = dict(bindings)
    none = Value(tag=0, octets=b"")
    ticks = values.get(SYS_UP_TIME, none).ticks
    object_id = values.get(SYS_OBJECT_ID, none).oid
    return SystemInfo(
        sys_name=_text(values.get(SYS_NAME, none), NAME_CHARACTERS),
        sys_descr=_text(values.get(SYS_DESCR, none), DESCRIPTION_CHARACTERS),
        sys_object_id=None if object_id is None else ".".join(map(str, object_id)),
        uptime=None if ticks is None else ticks / 100,
    )


def _text(value: Value, limit: int) -> str | None:
    return None if value.text is None else clean_text(value.text, limit)


class Agents:
    """Implements ``ProbeSocket``: all agents of a sweep on one socket, one request each at a time."""

    def __init__(self, sock: socket.socket, targets: Sequence[str], settings: Snmp) -> None:
        self._sock = sock
        self._targets = targets
        self._settings = settings
        self._encoded: dict[tuple[Oid, ...], bytes] = {}
        self._requested: Container[int] = ()
        self._packet: Callable[[int], bytes]
        self._first_id = 0
        self._accept: Callable[[int, Response], None]
        self._answered: set[int] = set()
        self.sender = DatagramSender(sock)

    def get(self, oids: tuple[Oid, ...]) -> bytes:
        """Return a GetRequest, its request-id still blank."""
        if oids not in self._encoded:
            pdu = v2c.GetRequestPDU()
            v2c.apiPDU.set_defaults(pdu)
            v2c.apiPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
            self._encoded[oids] = self._encode(pdu)
        return self._encoded[oids]

    def bulk(self, *starts: Oid, once: Sequence[Oid] = (), rows: int = BULK_ROWS) -> bytes:
        """Return a GetBulkRequest for the rows after ``starts``, its request-id still blank.

        Of each OID in ``once`` it asks what follows.
        """
        pdu = v2c.GetBulkRequestPDU()
        v2c.apiBulkPDU.set_defaults(pdu)
        v2c.apiBulkPDU.set_non_repeaters(pdu, len(once))
        v2c.apiBulkPDU.set_max_repetitions(pdu, rows)
        v2c.apiBulkPDU.set_varbinds(pdu, [(oid, v2c.null) for oid in (*once, *starts)])
        return self._encode(pdu)

    def _encode(self, pdu: Any) -> bytes:
        v2c.apiPDU.set_request_id(pdu, _ID_BASE)
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._settings.community.encode())
        v2c.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))

    def request(
        self,
        indices: Sequence[int],
        packet: Callable[[int], bytes],
        accept: Callable[[int, Response], None],
        *,
        rate: float,
        cancel: threading.Event,
    ) -> None:
        """Send each target its packet; pass the first answer of each to ``accept``."""
        self._requested = indices if isinstance(indices, range) else frozenset(indices)
        self._packet, self._accept, self._answered = packet, accept, set()
        # Late answers to earlier requests must not match these.
        self._first_id = _ID_BASE + secrets.randbelow(_ID_BASE - len(self._targets))
        request_all(
            self,
            indices,
            rate=rate,
            tries=self._settings.retries + 1,
            timeout=self._settings.timeout,
            cancel=cancel,
        )

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._sock.fileno()

    def send(self, index: int) -> bool:
        """Send a target its packet; return False if it cannot be reached."""
        packet = self._packet(index)
        # After seven bytes of headers and the community, which may contain any bytes.
        at = packet.index(_BLANK_ID, 7 + len(self._settings.community.encode())) + 2
        identified = packet[:at] + (self._first_id + index).to_bytes(4, "big") + packet[at + 4 :]
        return self.sender.send(identified, (self._targets[index], self._settings.port))

    def receive(self) -> Iterator[int | None]:
        """Accept what has arrived; yield each target that is done, None for anything else."""
        for closed in unreachable.closed_ports(self._sock):
            ours = closed is not None and closed[1] == self._settings.port
            yield self._find(closed[0]) if closed is not None and ours else None
        while True:
            try:
                data, (address, _) = self._sock.recvfrom(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                yield None  # the error of an unreachable target; its details are queued, too
                continue
            yield self._match(data, address)

    def _match(self, data: bytes, address: str) -> int | None:
        """Accept an answer; return the target that it came from, None if it matches no request."""
        index = self._find(address)
        if index is None:
            return None
        response = read_response(data)
        if response is None or response.request_id != self._first_id + index:
            return None
        self._answered.add(index)
        self._accept(index, response)
        return index

    def _find(self, address: str) -> int | None:
        """Return the target at an address, None if none there has a request without an answer."""
        try:
            index = self._targets.index(address)
        except ValueError:
            return None
        return index if index in self._requested and index not in self._answered else None


_BLANK_ID = b"\x02\x04" + _ID_BASE.to_bytes(4, "big")  # INTEGER, four bytes (X.690)
