"""Resolves an entry of the quarantine on an operator's command: replays or discards it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.delivery.endpoint import events_topic, own_event
from pdsno_cli.model.refusals import Reason, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.delivery.endpoint import Endpoint
    from pdsno_cli.delivery.inbox import Inbox
    from pdsno_cli.model.messages import Command, Envelope


def resolve(
    endpoint: Endpoint,
    inbox: Inbox,
    open_message: Callable[[str, bytes], Envelope],
    order: Envelope,
    command: Command,
) -> None:
    """Replay or discard the entry that ``command`` names, and answer the order with an event.

    RefusedError when there is no such entry, or when it still cannot be applied.
    """
    entry = endpoint.store.quarantine_entry(command.entry)
    if entry is None:
        raise RefusedError(
            Reason.UNPARSABLE,
            f"{endpoint.spec.controller_id} has no entry {command.entry} in quarantine",
        )
    event = own_event(
        endpoint,
        "quarantine_replayed" if command.order == "replay" else "quarantine_discarded",
        "info",
        {
            "entry": entry.id,
            "sender": entry.sender,
            "stream": entry.stream,
            "epoch": entry.epoch,
            "seq": entry.seq,
        },
    )
    with endpoint.publisher.unit() as unit:
        if command.order == "replay":
            inbox.replay(unit.tx, entry, open_message(entry.topic, entry.data))
        else:
            inbox.discard(unit.tx, entry)
        unit.stage(events_topic(endpoint), event, answers=order.message_id)
