"""Imports and compiles, before a process forks, what every store needs."""

from __future__ import annotations

from pdsno_cli.model.details import Detail, pieces
from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.history import DeviceChange
from pdsno_cli.model.messages import Event, LocalCycle, PolicyDocument, Summary
from pdsno_cli.nib.offsets import START, Offset
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.store import Store

_AT = 0.0


def preload() -> None:
    """Run every statement once on a store in memory: SQLAlchemy caches the compiled forms."""
    with Store.open(":memory:") as store:
        store.begin_epoch()
        for _ in range(2):
            _write(store)
            _read(store)


def _write(store: Store) -> None:
    one, other = (
        Device(device_id=name, addresses=("192.0.2.1",), protocols=("icmp",))
        for name in ("ip:192.0.2.1", "ip:192.0.2.2")
    )
    with store.transaction() as tx:
        tx.advance(sender="s", stream="t", to=Offset(1, 1))
        for snapshot in (False, True):
            tx.apply_changes(
                local_id="l", region="r", new=(one, other), updated=(), inactive=(),
                snapshot=snapshot, at=_AT,
            )  # fmt: skip
            tx.apply_summary(
                Summary(
                    region="r", snapshot=snapshot, locals=(), new=(), updated=(), inactive=(),
                    active=0,
                ),
                at=_AT,
            )  # fmt: skip
        tx.put_known("l", "r", [Known(device=one), Known(device=other)], seen=(), at=_AT)
        tx.put_known("l", "r", [], seen=(), at=_AT)
        tx.judge(sender="s", stream="t", epoch=1, seq=2)
        tx.enqueue(
            OutboxRecord(stream="s", epoch=1, seq=1, topic="t", data=b"", qos=1, retain=False)
        )
        tx.answer("m", at=_AT)
        tx.acknowledge("s", Offset(1, 1))
        tx.enqueue(
            OutboxRecord(stream="s", epoch=1, seq=2, topic="t", data=b"", qos=1, retain=False)
        )
        tx.coalesce("s")
        tx.take_fragments("s", "t")
        tx.forget_local("l", "t")
        tx.forget_region("r")
        tx.put_policy(PolicyDocument(scope="r", version=1), at=_AT)
        tx.put_applied("c", "r", 1, at=_AT)
        tx.put_controller(
            controller_id="c", role="local", region="r", state="online", epoch=1, connection=1,
            seq=1, at=_AT,
        )  # fmt: skip
        tx.record_heartbeats([("c", 1, 2)])
        tx.set_controller_state("c", "offline")
        tx.forget_controller("c")
        tx.put_cycle(LocalCycle(local_id="l", epoch=1, cycle=1, active=1), region="r", at=_AT)
        tx.put_details("l", pieces("d", Detail()), at=_AT)
        tx.add_history("l", [DeviceChange(device_id="d", kind="updated")], at=_AT)
        tx.append_event(Event(event="e", severity="info", subject="s"), sender="c", at=_AT)


def _read(store: Store) -> None:
    store.known()
    store.devices(active=True)
    store.device_records()
    store.count_active()
    store.macs_in_several_regions()
    store.policy("r")
    store.applied()
    store.cycles()
    store.regions()
    store.controllers()
    store.details()
    store.detail_digests("l")
    store.events()
    store.outbox_streams()
    store.outbox("s", START, 1)
    store.outbox_count()
    store.backlog("s")
    store.count_quarantined()
    store.issued("s", 1)
    store.last_coalesced("s")
    store.acknowledged("s")
    store.answered("m")
