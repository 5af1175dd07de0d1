"""Partitions controllers from the network: drops all packets from and to their own addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.system import local_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DROP: local_routes.Kind = "blackhole"  # silent, as with a cable that is pulled


class Partition:
    """Cuts and restores the links of one run's controllers.

    ``addresses`` are the loopback addresses that controllers send from, by controller.
    """

    def __init__(self, addresses: Mapping[str, str], announce: Callable[[str], None]) -> None:
        self._addresses = addresses
        self._announce = announce

    def cut(self, controller_id: str) -> None:
        """Drop every packet of a controller; raises OperationError when that is impossible."""
        address = self._addresses.get(controller_id)
        if address is None:
            raise OperationError(
                f"{controller_id} has no loopback address of its own, which its packets are dropped by: "
                "that takes Linux, a broker on IPv4 loopback, and no declared address"
            )
        reason = local_routes.block(_DROP, address)
        if reason is not None:
            raise OperationError(f"the link of {controller_id} cannot be cut: {reason}")

    def mend(self, controller_id: str) -> None:
        """Let a controller's packets pass again; harmless if they do."""
        reason = local_routes.unblock(_DROP, self._addresses[controller_id])
        if reason is not None:
            self._announce(f"the link of {controller_id} stays cut: {reason}")

    def mend_all(self) -> None:
        """Restore every link, including those that a killed run left cut."""
        cut = local_routes.blocked(_DROP)
        for name, address in self._addresses.items():
            if address in cut:
                self.mend(name)
