"""Tells apart processes that use one client id: what each reports of itself on a status topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ClientIdOwner(NamedTuple):
    """A process that publishes as one controller.

    ``label`` names it for people. ``epoch`` is 0 where its message was not signed with our key.
    ``heartbeat`` is the seconds between two status messages, 0 if it does not report any.
    """

    label: str
    epoch: int
    heartbeat: float = 0.0


class ClientIdClaim(NamedTuple):
    """The claim of this process, started in ``epoch``, to its client id.

    Processes that run as one controller publish their status on ``topic``. ``read`` returns who
    published a message of it, None for a death: a retained death is that of an earlier process, or
    this transport's own will.
    """

    topic: str
    label: str
    epoch: int
    read: Callable[[str, bytes], ClientIdOwner | None]

    def yields_to(self, other: ClientIdOwner) -> bool:
        """Return True if ``other`` runs as the same controller and was started later.

        Signature and epoch prove it: a replayed message has an earlier epoch.
        """
        return other.epoch > 0 and (other.epoch, other.label) > (self.epoch, self.label)
