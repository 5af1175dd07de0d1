"""Notes the MACs of IPv6 neighbours during a sweep, and keeps the kernel's table of them from filling up.

The kernel replaces an entry half a minute after it was used, and refuses to send to further neighbours
meanwhile. Entries that a sweep made are deleted as soon as they are noted; that takes CAP_NET_ADMIN.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pdsno_cli.discovery import neighbours6

if TYPE_CHECKING:
    from collections.abc import Iterable

_PERIOD = 0.1  # seconds between two looks at the table
_FILLED = 0.5  # of its room, from which on entries are deleted


class NeighbourRoom:
    """The table during one sweep. ``interfaces`` are the numbers of those whose links are asked."""

    def __init__(self, interfaces: Iterable[int]) -> None:
        self._interfaces = frozenset(interfaces)
        self._before = {item.address for item in neighbours6.resolved()}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.macs: dict[str, bytes] = {}

    def watch(self) -> None:
        """Keep room on a thread of its own until ``close``."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="neighbours")
            self._thread.start()

    def look(self) -> list[neighbours6.Neighbour]:
        """Note the MACs that the kernel knows, and return them as they are."""
        found = neighbours6.resolved()
        self.macs.update((item.address, item.mac) for item in found)
        return found

    def close(self) -> None:
        """Stop watching; harmless when repeated."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        most = neighbours6.limit() * _FILLED
        while not self._stop.wait(_PERIOD):
            found = self.look()
            if len(found) > most:
                neighbours6.forget(
                    item
                    for item in found
                    if item.interface in self._interfaces and item.address not in self._before
                )
