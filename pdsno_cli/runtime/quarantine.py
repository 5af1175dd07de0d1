"""What becomes of a message in quarantine, as a person orders: it is applied after all, or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.messages import Event
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.topics import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.controllers.ledger import Ledger
    from pdsno_cli.controllers.ports import Context
    from pdsno_cli.model.messages import Command, Envelope


def settle(
    context: Context,
    ledger: Ledger | None,
    open_message: Callable[[str, bytes], Envelope],
    envelope: Envelope,
    command: Command,
) -> None:
    """Replay or discard the entry that an order names, and answer the order with an event.

    RefusedError when there is no such entry, or when it still cannot be applied.
    """
    kept = context.store.quarantine_entry(command.entry)
    if ledger is None or kept is None:
        raise RefusedError(
            Reason.UNPARSABLE,
            f"{context.spec.controller_id} has no entry {command.entry} in quarantine",
        )
    event = Event(
        event="quarantine_replayed" if command.order == "replay" else "quarantine_discarded",
        severity="info",
        subject=context.spec.controller_id,
        region=context.spec.region,
        detail={
            "entry": kept.id,
            "sender": kept.sender,
            "stream": kept.stream,
            "epoch": kept.epoch,
            "seq": kept.seq,
        },
    )
    with context.publisher.unit() as unit:
        if command.order == "replay":
            ledger.replay(unit.tx, kept, open_message(kept.topic, kept.data))
        else:
            ledger.discard(unit.tx, kept)
        topic = context.topology.topics.events(context.spec.region or SYSTEM)
        unit.stage(topic, event, answers=envelope.message_id)
