"""The wire of SNMP v2c (RFC 3416): many agents, one request each at a time.

``ber_write`` encodes requests; ``ber`` decodes answers, tolerant of agents' mistakes, and they are
matched by address and request-id. Agents are not trusted: one answer to a request counts, undecodable ones are
ignored.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.snmp.ber import Oid
from pdsno_cli.discovery.snmp.ber_write import (
    GET,
    GET_BULK,
    GET_NEXT,
    Packet,
    write_oid,
    write_request,
)
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Container, Iterator, Sequence

    from pdsno_cli.discovery.progress import Progress
    from pdsno_cli.discovery.udp import UdpSockets
    from pdsno_cli.spec.topology import Snmp

RATE = FACTS["snmp"].rate  # requests a second
FLOOR = FACTS["snmp"].floor  # seconds; a retry comes no sooner
BULK_ROWS = 25  # max-repetitions: the answer fits an Ethernet frame

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)

_STRAY_ADDRESSES, _STRAY_SOURCES = 1024, 4  # bounds of what is counted
_ID_BASE = 0x4000_0000  # request-ids from here on always take four bytes


class Identified(Protocol):
    """An answer that says which request it is to."""

    @property
    def request_id(self) -> int:
        """The request-id."""


Answer = TypeVar("Answer", bound=Identified)


def count_stray(stray: dict[str, dict[str, int]], asked: str, source: str) -> None:
    """Count a reply to a request to ``asked`` that came from ``source``."""
    if asked in stray or len(stray) < _STRAY_ADDRESSES:
        sources = stray.setdefault(asked, {})
        if source in sources or len(sources) < _STRAY_SOURCES:
            sources[source] = sources.get(source, 0) + 1


class Agents:
    """Implements ``ProbeSocket``: all agents of a sweep, one request each at a time."""

    def __init__(self, sockets: UdpSockets, targets: Sequence[str], settings: Snmp) -> None:
        self.sockets = sockets
        self._targets = targets
        self._settings = settings
        self.community = settings.community.encode()  # of targets that are not in communities
        self.communities: dict[int, bytes] = {}
        self.closed: set[int] = set()  # targets without an agent: their port is closed
        self.stray: dict[str, dict[str, int]] = {}
        self._encoded: dict[tuple[bytes, tuple[Oid, ...]], Packet] = {}
        self._requested: Container[int] = ()
        self._packet: Callable[[int], Packet]
        self._first_id = 0
        self._accept: Callable[[int, Any], None]
        self._read: Callable[[bytes], Any]
        self._answered: set[int] = set()
        self.patient: Container[int] | None = None  # as in request_all
        self.progress: Progress | None = None

    def get(self, index: int, oids: tuple[Oid, ...]) -> Packet:
        """Return a GetRequest to a target."""
        community = self._community(index)
        if (community, oids) not in self._encoded:
            names = [write_oid(oid) for oid in oids]
            self._encoded[community, oids] = write_request(GET, community, names)
        return self._encoded[community, oids]

    def bulk(
        self, index: int, *starts: Oid, once: Sequence[Oid] = (), rows: int = BULK_ROWS
    ) -> Packet:
        """Return a GetBulkRequest to a target for the rows after ``starts``.

        Of each OID in ``once`` it asks what follows.
        """
        names = [write_oid(oid) for oid in (*once, *starts)]
        return write_request(GET_BULK, self._community(index), names, once=len(once), rows=rows)

    def next(self, index: int, start: Oid) -> Packet:
        """Return a GetNextRequest to a target for the row after ``start``."""
        return write_request(GET_NEXT, self._community(index), [write_oid(start)])

    def _community(self, index: int) -> bytes:
        return self.communities.get(index, self.community)

    def request(
        self,
        indices: Sequence[int],
        packet: Callable[[int], Packet],
        accept: Callable[[int, Answer], None],
        *,
        rate: float,
        cancel: threading.Event,
        read: Callable[[bytes], Answer | None],
    ) -> None:
        """Send each target its packet; pass the first answer of each that ``read`` can to ``accept``."""
        self._requested = indices if isinstance(indices, range) else frozenset(indices)
        self._packet, self._accept, self._answered = packet, accept, set()
        self._read = read
        # Late answers to earlier requests must not match these.
        self._first_id = _ID_BASE + secrets.randbelow(_ID_BASE - len(self._targets))
        request_all(
            self,
            indices,
            rate=rate,
            tries=self._settings.retries + 1,
            timeout=self._settings.timeout,
            cancel=cancel,
            floor=FLOOR,
            patient=self.patient,
            progress=self.progress,
        )

    def filenos(self) -> list[int]:
        """Return the descriptors of the sockets."""
        return self.sockets.filenos()

    def send(self, index: int) -> bool:
        """Send a target its packet; return False if it cannot be reached."""
        data = self._packet(index).with_id(self._first_id + index)
        return self.sockets.send(data, self._targets[index], self._settings.port)

    def receive(self) -> Iterator[int | None]:
        """Accept what has arrived; yield each target that is done, None for anything else."""
        for closed in self.sockets.closed():
            ours = closed is not None and closed[1] == self._settings.port
            index = self._find(closed[0]) if closed is not None and ours else None
            if index is not None:
                self.closed.add(index)
            yield index
        for datagram in self.sockets.receive():
            yield None if datagram is None else self._match(datagram[0], datagram[1])

    def _match(self, data: bytes, address: str) -> int | None:
        """Accept an answer; return the target that it came from, None if it matches no request."""
        response = self._read(data)
        if response is None:
            return None
        index = self._find(address)
        if index is None or response.request_id != self._first_id + index:
            self._note(response.request_id - self._first_id, address)
            return None
        self._answered.add(index)
        self._accept(index, response)
        return index

    def _note(self, index: int, source: str) -> None:
        """Count a reply to a request to the target ``index`` that came from another address."""
        if (
            0 <= index < len(self._targets)
            and index in self._requested
            and index not in self._answered
            and self._targets[index] != source
        ):
            count_stray(self.stray, self._targets[index], source)

    def index(self, address: str) -> int | None:
        """Return the index of the target at an address, None if none is there."""
        try:
            return self._targets.index(address)
        except ValueError:
            return None

    def _find(self, address: str) -> int | None:
        """Return the target at an address, None if none there has a request without an answer."""
        index = self.index(address)
        if index is None or index not in self._requested or index in self._answered:
            return None
        return index
