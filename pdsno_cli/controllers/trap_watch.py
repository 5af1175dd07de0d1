"""Listens for SNMP notifications of a local controller's devices, and asks for a cycle soon."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdsno_cli.delivery.ports import Cancellable, Scheduler
    from pdsno_cli.discovery.snmp.traps import TrapSocket
    from pdsno_cli.model.targets import AddressSet
    from pdsno_cli.spec.topology import Snmp

log = logging.getLogger(__name__)

LOOK = 0.5  # seconds between two looks at the socket
RETRY = 30.0  # seconds until a port that is in use is tried again


class TrapWatch:
    """The notifications of one controller. Owner's thread only.

    ``targets`` returns the addresses whose notifications count, ``prompt`` is called when one came.
    """

    def __init__(
        self,
        snmp: Snmp,
        scheduler: Scheduler,
        *,
        targets: Callable[[], AddressSet],
        prompt: Callable[[], None],
    ) -> None:
        self._snmp, self._scheduler = snmp, scheduler
        self._targets, self._prompt = targets, prompt
        self._socket: TrapSocket | None = None
        self._next: Cancellable | None = None

    def start(self) -> str | None:
        """Listen, if it is declared; return why that is not possible, in one sentence.

        It is tried again until it is.
        """
        if self._snmp.traps is None:
            return None
        from pdsno_cli.discovery.snmp.traps import TrapSocket

        port = self._snmp.traps.port
        try:
            self._socket = TrapSocket(port, self._snmp.tried)
        except OSError as exc:
            self._next = self._scheduler.after(RETRY, self._start_again)
            return (
                f"cannot listen for SNMP traps on UDP port {port}: {exc.strerror}; "
                "choose another discovery.snmp.traps.port, or grant CAP_NET_BIND_SERVICE"
            )
        self._next = self._scheduler.after(LOOK, self._look)
        return None

    def _start_again(self) -> None:
        if self.start() is None:
            log.info("listening for SNMP traps now")

    def stop(self) -> None:
        """Stop listening."""
        if self._next is not None:
            self._next.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _look(self) -> None:
        from pdsno_cli.discovery.snmp.traps import read_again

        assert self._socket is not None
        traps = self._socket.receive()
        targets = self._targets() if traps else ()
        ours = {trap.source: trap.kind for trap in traps if trap.source in targets}
        if ours:
            for source, kind in sorted(ours.items()):
                log.info("%s sent the SNMP notification %s", source, kind)
            read_again(ours, self._snmp.port)
            self._prompt()
        self._next = self._scheduler.after(LOOK, self._look)
