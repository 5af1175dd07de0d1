"""Collects the accounts of all streams of a topology from the stores of its state directory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.delivery.subscriptions import receives
from pdsno_cli.nib.audit import Account, reconcile
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.runtime.stores import database_of

if TYPE_CHECKING:
    from pdsno_cli.nib.audit import Sent
    from pdsno_cli.nib.offsets import StreamCounters
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_DEFAULT_WAIT = 4  # times ``outbox.patience`` that a message may wait

_Counters = dict[tuple[str, str, int], "StreamCounters"]


def accounts(topology: Topology, state: StateDir) -> tuple[list[Account], list[str]]:
    """Return the account of each epoch of each stream, and the controllers without a store here.

    Every sender is read before any receiver, and again if a receiver has committed more than the
    sender had numbered.
    """
    sent: dict[str, list[Sent]] = {}
    missing: list[str] = []
    for controller_id in topology.controllers:
        try:
            sent[controller_id] = _sent(topology, state, controller_id)
        except MissingStoreError:
            missing.append(controller_id)
    received: dict[str, _Counters] = {}
    for controller_id in sent:
        with closing(open_reader(database_of(topology, state, controller_id))) as store:
            received[controller_id] = store.counters()
    found: list[Account] = []
    for sender, records in sent.items():
        later: dict[tuple[str, int], Sent] | None = None
        for record in records:
            for receiver in _receivers(topology, record.stream):
                counters = received.get(receiver, {}).get((sender, record.stream, record.epoch))
                account = reconcile(sender, receiver, record, counters)
                if counters is not None and not account.accounted:
                    if later is None:
                        later = {(r.stream, r.epoch): r for r in _sent(topology, state, sender)}
                    known = later.get((record.stream, record.epoch), record)
                    account = reconcile(sender, receiver, _until(record, known, counters), counters)
                found.append(account)
    return found, missing


def default_limit(topology: Topology) -> float:
    """Return the seconds that a message may wait where no other limit is given."""
    return _DEFAULT_WAIT * topology.outbox.patience


def oldest_wait(account: Account, now: float) -> float:
    """Return for how many seconds the oldest message of an account has waited at ``now``."""
    return 0.0 if account.oldest is None else now - account.oldest


def _sent(topology: Topology, state: StateDir, controller_id: str) -> list[Sent]:
    with closing(open_reader(database_of(topology, state, controller_id))) as store:
        return store.sent()


def _until(record: Sent, later: Sent, counters: StreamCounters) -> Sent:
    """Return a sender's record extended to the last number that its receiver has committed.

    A running topology numbers and commits messages while its stores are read one after another;
    another receiver may begin after those that are acknowledged.
    """
    last = max(record.last, min(later.last, counters.seq))
    return replace(record, last=last, coalesced=later.coalesced, acknowledged=later.acknowledged)


def _receivers(topology: Topology, stream: str) -> list[str]:
    return [name for name in topology.controllers if receives(topology, name, stream)]
