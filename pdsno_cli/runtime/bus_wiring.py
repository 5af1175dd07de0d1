"""Builds the in-process bus's transport for a controller."""

from __future__ import annotations

from functools import partial

from pdsno_cli.messaging.bus import BusTransport
from pdsno_cli.runtime.transport_wiring import TransportFactory, Wired, Wiring


class BusFactory:
    """Implements ``TransportFactory``."""

    def preload(self) -> None:
        """Do nothing: the bus is never used across a fork."""

    def build(self, wiring: Wiring) -> Wired | None:
        """Return a member of the bus that all controllers of the process share."""
        if wiring.bus is None:
            return None
        other_up = partial(wiring.has_other_up, "bus")
        return Wired(
            transport=BusTransport(
                wiring.bus, wiring.controller_id, wiring.filters, alone=lambda: not other_up()
            )
        )


TRANSPORT: TransportFactory = BusFactory()
