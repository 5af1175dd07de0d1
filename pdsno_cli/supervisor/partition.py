"""Cuts controllers off and lets them back: drops all packets from and to their own addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.system import local_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DROP: local_routes.Kind = "blackhole"  # nobody is told, as with a cable that is pulled


class Partition:
    """The links of one run's controllers to the broker and to each other.

    ``addresses`` are those by which their packets are known, by controller.
    """

    def __init__(self, addresses: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._addresses = addresses
        self._say = say

    def cut(self, controller_id: str) -> None:
        """Drop every packet of a controller; OperationError when that cannot be."""
        address = self._addresses.get(controller_id)
        if address is None:
            raise OperationError(
                f"{controller_id} has no loopback address of its own, by which its packets would "
                "be known: that takes Linux, a broker on IPv4 loopback, and no declared address"
            )
        reason = local_routes.take_away(_DROP, address)
        if reason is not None:
            raise OperationError(f"the link of {controller_id} cannot be cut: {reason}")

    def mend(self, controller_id: str) -> None:
        """Let a controller's packets pass again; harmless where they do."""
        reason = local_routes.give_back(_DROP, self._addresses[controller_id])
        if reason is not None:
            self._say(f"the link of {controller_id} stays cut: {reason}")

    def mend_all(self) -> None:
        """Let all packets pass, also where a run that was killed left a link cut."""
        cut = local_routes.taken_away(_DROP)
        for name, address in self._addresses.items():
            if address in cut:
                self.mend(name)
