"""ICMP echo to many addresses of both families, at one rate."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pdsno_cli.discovery.echo import EchoSocket
from pdsno_cli.discovery.pace import by_index
from pdsno_cli.discovery.probe import (
    Answers,
    Probe,
    ProbeRequest,
    ProbeUnavailableError,
)
from pdsno_cli.discovery.rate_limited import request_all
from pdsno_cli.discovery.sockets import families
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    import threading
    from collections.abc import Container, Iterator, Sequence

    from pdsno_cli.discovery.progress import Progress

RATE = FACTS["icmp"].rate  # requests a second
TRIES = FACTS["icmp"].tries
TIMEOUT = FACTS["icmp"].timeout  # seconds to wait for the answer of one try, at most
FLOOR = FACTS["icmp"].floor  # and at least


class IcmpProbe:
    """Implements ``Probe``."""

    def preload(self) -> None:
        """Do nothing: this module imports no library."""

    def sweep(self, request: ProbeRequest) -> Answers:
        """Return every target that answers, without fields."""
        facts, pace = FACTS["icmp"], request.pace
        found = sweep(
            request.targets,
            request.cancel,
            rate=pace.rate_of(facts),
            timeout=pace.ceiling_of(facts),
            floor=pace.floor_of(facts),
            patient=pace.patient(facts),
            progress=request.progress,
        )
        return {address: {} for address in found}


PROBE: Probe = IcmpProbe()


def sweep(
    targets: Sequence[str],
    cancel: threading.Event,
    *,
    rate: float = RATE,
    tries: int = TRIES,
    timeout: float = TIMEOUT,
    floor: float | None = FLOOR,
    patient: Container[str] | None = None,
    progress: Progress | None = None,
) -> frozenset[str]:
    """Return the addresses among ``targets`` that answer.

    ``floor``, ``patient`` (addresses) and ``progress`` are those of ``request_all``. Raises ProbeUnavailableError if the machine allows no ICMP socket or has no network.
    """
    echo = _Echo(targets)
    try:
        request_all(
            echo,
            range(len(targets)),
            rate=rate,
            tries=tries,
            timeout=timeout,
            cancel=cancel,
            floor=floor,
            patient=by_index(targets, patient),
            progress=progress,
        )
    finally:
        echo.close()
    if echo.error is not None and not echo.answered:
        raise ProbeUnavailableError(f"no echo request could be sent: {echo.error}")
    return frozenset(targets[index] for index in echo.answered)


class _Echo:
    """Implements ``ProbeSocket``: one echo request per target; token, index and address must match."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = targets
        self._sockets: dict[bool, EchoSocket] = {}
        self.answered: set[int] = set()
        problem: ProbeUnavailableError | None = None
        for family in families(targets):
            try:
                self._sockets[family == socket.AF_INET6] = EchoSocket(family)
            except ProbeUnavailableError as exc:
                problem = problem or exc
        if problem is not None and not self._sockets:
            raise problem

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()

    @property
    def error(self) -> str | None:
        """The last reason why no request could be sent, None once one was."""
        senders = [sock.sender for sock in self._sockets.values()]
        if any(sender.sent for sender in senders):
            return None
        return next((sender.error for sender in senders if sender.error is not None), None)

    def filenos(self) -> list[int]:
        return [sock.sock.fileno() for sock in self._sockets.values()]

    def send(self, index: int) -> bool:
        address = self._targets[index]
        sock = self._sockets.get(is_ipv6(address))
        return sock is not None and sock.sender.send(sock.request(index), (address, 0))

    def receive(self) -> Iterator[int | None]:
        for sock in self._sockets.values():
            for reply in sock.receive():
                index = None if reply is None else self._match(*reply)
                if index is not None:
                    self.answered.add(index)
                yield index

    def _match(self, index: int, address: str) -> int | None:
        """Return the target that a reply is from, None if it comes from elsewhere."""
        if index < len(self._targets) and self._targets[index] == address:
            return index
        return None
