"""Asks a local controller for the whole detail of one of its devices."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.model.details import joined
from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.messages import Command, DiscoveryReport, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.client.operator import Operator
    from pdsno_cli.client.stored_details import StoredDetails
    from pdsno_cli.model.details import DeviceDetail
    from pdsno_cli.nib.rows import DeviceRecord
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


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


def ask_for_detail(
    topology: Topology,
    state: StateDir,
    record: DeviceRecord,
    kept: StoredDetails,
    *,
    limit: float,
    on_trouble: Callable[[str], None],
) -> StoredDetails:
    """Return ``kept`` with the detail that the device's local controller has now, if it has one.

    Connects to the plane; raises UsageError if it is not up, OperationError if no answer comes within
    ``limit`` seconds.
    """
    from pdsno_cli.client.session import operator_session

    topics = topology.topics
    filters = (topics.discovery("+", record.local_id), topics.events("+"))
    with operator_session(topology, state, filters, on_trouble) as operator:
        deadline = time.monotonic() + limit
        found = request_detail(
            operator, record.local_id, record.device.device_id, deadline=deadline
        )
    return kept if found is None else replace(kept, detail=found.detail, brief=False)
