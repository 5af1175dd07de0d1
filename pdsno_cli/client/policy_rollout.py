"""Tracks an order to publish a policy until every controller in scope has applied it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import Event, PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Collection

    from pdsno_cli.model.messages import Envelope


class PolicyRollout:
    """One order: the version that its publisher gave it, and the controllers that applied it.

    ``refused`` is the publisher's reason of a refusal.
    """

    def __init__(self, scope: str, controllers: Collection[str]) -> None:
        self._scope = scope
        self._controllers = controllers
        self._versions: dict[str, tuple[int, float]] = {}
        self.order = ""
        self.version: int | None = None
        self.refused: str | None = None

    @property
    def since(self) -> dict[str, float]:
        """The time at which each controller's event arrived: that version, or a later one, applied."""
        wanted = self.version
        if wanted is None:
            return {}
        return {name: at for name, (version, at) in self._versions.items() if version >= wanted}

    @property
    def missing(self) -> list[str]:
        """The controllers in scope that have not applied it."""
        since = self.since
        return [name for name in self._controllers if name not in since]

    @property
    def done(self) -> bool:
        """Return True once it is refused, or applied by all controllers in scope."""
        return self.refused is not None or (self.version is not None and not self.missing)

    def update(self, envelope: Envelope, now: float) -> None:
        """Update the rollout with a message."""
        payload, answers = envelope.payload, envelope.correlation_id == self.order
        if isinstance(payload, PolicyDocument) and answers:
            self.version = payload.version
        elif isinstance(payload, Event) and payload.event == "command_refused" and answers:
            self.refused = str(payload.detail.get("why", "refused"))
        elif isinstance(payload, Event) and payload.event == "policy_applied":
            version = payload.detail.get("version")
            if payload.detail.get("scope") == self._scope and isinstance(version, int):
                self._versions[envelope.sender_id] = version, now
                if answers:
                    self.version = version
