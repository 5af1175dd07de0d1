"""Asks a local controller for the whole detail of one of its devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.details import joined
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.messages import Command, DiscoveryReport, Event

if TYPE_CHECKING:
    from pdsno_cli.client.operator import Operator
    from pdsno_cli.model.details import DeviceDetail


def request_detail(
    operator: Operator, local_id: str, device_id: str, *, deadline: float
) -> DeviceDetail | None:
    """Return the detail that a local controller has of a device, None if it has none.

    The session needs the reports of the local controller and the events. OperationError if no
    answer comes before ``deadline`` on the monotonic clock, or the order is refused.
    """
    order = operator.order(
        local_id, Command(order="describe", devices=(device_id,)), deadline=deadline
    )
    parts: list[DeviceDetail] = []
    for envelope in operator.messages(deadline):
        payload = envelope.payload
        if envelope.correlation_id != order or envelope.sender_id != local_id:
            continue
        if isinstance(payload, Event) and payload.event == "command_refused":
            raise OperationError(f"{local_id} refuses: {payload.detail.get('why', 'no reason')}")
        if isinstance(payload, DiscoveryReport):
            parts += payload.details
            if not payload.more:
                return next(iter(joined(parts)), None)
    raise OperationError(f"no answer of {local_id}; pdsno status shows whether it is up")
