"""Publishes a controller's own status: birth, heartbeat and death (after Sparkplug B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Status

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.delivery.ports import Cancellable
    from pdsno_cli.spec.topology import Topology

_State = Literal["birth", "heartbeat", "death"]


class Presence:
    """The status of one controller on ``status/{controller_id}``. Owner's thread only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._connection = 0
        self._next_beat: Cancellable | None = None
        self.topic = context.topology.topics.status(context.spec.controller_id)

    def announce(self, connection: int) -> bool:
        """Publish the birth of a connection and start the heartbeat.

        Return True if a transport accepted the birth.
        """
        self.stop_heartbeat()
        self._connection = connection
        sent = self._context.publisher.publish(self.topic, self._status("birth"))
        self._schedule()
        return sent

    def stop_heartbeat(self) -> None:
        """Publish no heartbeat until the next birth."""
        if self._next_beat is not None:
            self._next_beat.cancel()
            self._next_beat = None

    def reconfigured(self, before: Topology) -> None:
        """Publish a heartbeat at once if its interval has changed: parents judge by it."""
        name = self._context.controller_id
        changed = before.controllers[name].heartbeat != self._context.spec.heartbeat
        if changed and self._next_beat is not None:
            self._next_beat.cancel()
            self._beat()

    def death(self, connection: int, reason: Literal["will", "stop"]) -> Status:
        """Return the death of a connection, for the will or for the farewell."""
        return self._status("death", connection=connection, reason=reason)

    def _schedule(self) -> None:
        self._next_beat = self._context.scheduler.after(self._context.spec.heartbeat, self._beat)

    def _beat(self) -> None:
        self._context.publisher.publish(self.topic, self._status("heartbeat"))
        self._schedule()

    def _status(
        self,
        state: _State,
        *,
        connection: int | None = None,
        reason: Literal["will", "stop"] | None = None,
    ) -> Status:
        spec = self._context.spec
        return Status(
            state=state,
            role=spec.role.value,
            region=spec.region,
            connection=self._connection if connection is None else connection,
            heartbeat=spec.heartbeat,
            reason=reason,
            holder=self._context.process_label,
        )
