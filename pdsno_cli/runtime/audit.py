"""Collects the accounts of all streams of a topology from the stores of its state directory."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pdsno_cli.controllers.subscriptions import receives
from pdsno_cli.nib.audit import Account, reconcile
from pdsno_cli.nib.engine import MissingStoreError
from pdsno_cli.nib.reader import open_reader

if TYPE_CHECKING:
    from pdsno_cli.nib.audit import Sent
    from pdsno_cli.nib.marks import Tally
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_Tallies = dict[tuple[str, str, int], "Tally"]


def accounts(topology: Topology, state: StateDir) -> tuple[list[Account], list[str]]:
    """Return the account of each epoch of each stream, and the controllers that have no store here.

    Every sender is read before any receiver.
    """
    sent: dict[str, list[Sent]] = {}
    missing: list[str] = []
    for controller_id in topology.controllers:
        try:
            with closing(open_reader(state.store(controller_id))) as store:
                sent[controller_id] = store.sent()
        except MissingStoreError:
            missing.append(controller_id)
    tallies: dict[str, _Tallies] = {}
    for controller_id in sent:
        with closing(open_reader(state.store(controller_id))) as store:
            tallies[controller_id] = store.tallies()
    found = [
        reconcile(
            sender,
            receiver,
            record,
            tallies.get(receiver, {}).get((sender, record.stream, record.epoch)),
        )
        for sender, records in sent.items()
        for record in records
        for receiver in _receivers(topology, record.stream)
    ]
    return found, missing


def _receivers(topology: Topology, stream: str) -> list[str]:
    return [name for name in topology.controllers if receives(topology, name, stream)]
