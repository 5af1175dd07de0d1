"""A controller's own status: birth, heartbeat and death (after Sparkplug B)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pdsno_cli.model.messages import Status

if TYPE_CHECKING:
    from pdsno_cli.controllers.ports import Cancellable, Context

_State = Literal["birth", "heartbeat", "death"]


class Presence:
    """Says on ``status/{controller_id}`` that the controller is here."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._connection = 0
        self._beat: Cancellable | None = None
        self.topic = context.topology.topics.status(context.spec.controller_id)

    def born(self, connection: int) -> bool:
        """Publish the birth of a connection and start to beat; whether it went out."""
        self.away()
        self._connection = connection
        sent = self._context.publisher.publish(self.topic, self._status("birth"))
        self._schedule()
        return sent

    def away(self) -> None:
        """Stop beating: nothing carries a heartbeat now."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def death(self, connection: int, reason: Literal["will", "stop"]) -> Status:
        """Return the death of a connection, for the will or for the farewell."""
        return self._status("death", connection=connection, reason=reason)

    def _schedule(self) -> None:
        self._beat = self._context.scheduler.after(self._context.spec.heartbeat, self._tick)

    def _tick(self) -> None:
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
            holder=self._context.holder,
        )
