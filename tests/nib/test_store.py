"""What transactions write and queries return, on each kind of database."""

from __future__ import annotations

import threading
import time

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from pdsno_cli.model.devices import Device, Known
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.errors import StateError
from pdsno_cli.model.ids import timestamp
from pdsno_cli.model.messages import (
    Event,
    LocalCycle,
    PolicyDocument,
    RegionDevice,
    RegionLoss,
    Summary,
)
from pdsno_cli.nib.offsets import START, Offset, Verdict
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.rows import ControllerRecord, EventRecord
from pdsno_cli.nib.store import Store, Transaction
from tests.messaging.samples import PAYLOADS


def device(number: int, **changes) -> Device:
    made = Device(
        device_id=f"ip:10.0.0.{number}",
        addresses=(f"10.0.0.{number}",),
        protocols=("icmp",),
        mac=f"00:00:00:00:00:{number:02x}",
        uptime=1.5,
    )
    return msgspec.structs.replace(made, **changes)


def report(store, *, at: float = 10.0, local_id: str = "lc_1", region: str = "A", **changes):
    lists = {"new": (), "updated": (), "inactive": (), "snapshot": False} | changes
    with store.transaction() as tx:
        return tx.apply_changes(local_id=local_id, region=region, at=at, **lists)


def records(store):
    return {record.device.device_id: record for record in store.device_records()}


# Reports of local controllers.


def test_a_new_device_is_stored_with_all_its_fields(store):
    assert report(store, new=(device(1),)) == []
    record = records(store)["ip:10.0.0.1"]
    assert record.device == device(1)
    assert (record.local_id, record.region, record.version, record.active) == ("lc_1", "A", 1, True)
    assert record.first_seen == record.last_seen == 10.0
    assert store.devices(active=True) == [RegionDevice(local_id="lc_1", device=device(1))]


def test_an_update_is_a_new_version(store):
    report(store, new=(device(1),))
    report(store, updated=(device(1, sys_name="core"),), at=20.0)
    record = records(store)["ip:10.0.0.1"]
    assert record.device.sys_name == "core"
    assert (record.version, record.first_seen, record.last_seen) == (2, 10.0, 20.0)


def test_extra_fields_are_kept_and_a_change_of_one_is_a_new_version(store):
    states = [device(1), device(1, extra={"a": "x"}), device(1, extra={"a": "y"}), device(1)]
    for version, state in enumerate(states, 1):
        report(store, updated=(state,))
        record = records(store)["ip:10.0.0.1"]
        assert (record.device, record.version) == (state, version)
        assert store.devices() == [RegionDevice(local_id="lc_1", device=state)]
        assert store.known()["ip:10.0.0.1"].device == state


def test_a_report_applied_again_changes_nothing(store):
    for _ in range(3):
        report(store, new=(device(1), device(2)), updated=(device(3),))
    assert [record.version for record in store.device_records()] == [1, 1, 1]


def test_a_rising_uptime_is_no_new_version(store):
    report(store, new=(device(1),))
    report(store, updated=(device(1, uptime=99.0),))
    record = records(store)["ip:10.0.0.1"]
    assert (record.version, record.device.uptime) == (1, 99.0)


def cycled(store, number: int, seen: float | None, *silent: str, lost=()) -> None:
    """Keep a cycle of lc_1 that began at ``seen``, in which some devices did not answer."""
    with store.transaction() as tx:
        tx.record_last_seen("lc_1", (*silent, *lost))
        tx.apply_changes(
            local_id="lc_1", region="A", at=seen or 0.0, new=(), updated=(), inactive=lost,
            snapshot=False,
        )  # fmt: skip
        tx.put_cycle(
            LocalCycle(
                local_id="lc_1", epoch=1, cycle=number, active=2,
                seen_at=None if seen is None else timestamp(seen), silent=silent,
            ),
            region="A", at=1000.0,
        )  # fmt: skip


def seen_last(store) -> list[tuple[float, float | None]]:
    return [(item.last_seen, item.device.uptime) for item in store.device_records()]


def test_devices_of_which_nothing_changed_are_seen_in_the_last_cycle_that_they_answered(store):
    one, two = "ip:10.0.0.1", "ip:10.0.0.2"
    report(store, new=(device(1), device(2, uptime=None)), at=10.0)
    assert seen_last(store) == [(10.0, 1.5), (10.0, None)]
    cycled(store, 1, 40.0)
    assert seen_last(store) == [(40.0, 31.5), (40.0, None)]
    cycled(store, 2, 70.0, one)
    assert seen_last(store) == [(40.0, 31.5), (70.0, None)]
    cycled(store, 3, None)  # it failed, or does not say
    cycled(store, 4, 100.0, one, two)
    assert seen_last(store) == [(40.0, 31.5), (70.0, None)]
    cycled(store, 5, 130.0, lost=[one])
    assert seen_last(store) == [(40.0, 31.5), (130.0, None)]
    assert [item.version for item in store.device_records()] == [2, 1]
    cycled(store, 6, 99_999.0)  # its clock is ahead: not later than the commit
    assert seen_last(store)[1] == (1000.0, None)
    assert store.cycles()[0].seen_at == timestamp(1000.0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00", "2" * 10_000])
def test_a_cycle_with_an_invalid_time_changes_no_last_seen(store, text):
    report(store, new=(device(1),), at=10.0)
    with store.transaction() as tx:
        cycle = LocalCycle(local_id="lc_1", epoch=1, cycle=1, active=1, seen_at=text)
        tx.put_cycle(cycle, region="A", at=50.0)
    assert seen_last(store) == [(10.0, 1.5)]


def test_an_inactive_device_is_kept_and_becomes_active_again(store):
    report(store, new=(device(1), device(2)))
    assert report(store, inactive=("ip:10.0.0.1", "ip:unheard-of"), at=20.0) == ["ip:10.0.0.1"]
    assert report(store, inactive=("ip:10.0.0.1",)) == []
    record = records(store)["ip:10.0.0.1"]
    assert (record.active, record.version, record.last_seen) == (False, 2, 10.0)
    assert store.count_active() == 1
    assert [item.device for item in store.devices(active=False)] == [device(1)]
    report(store, new=(device(1),), at=30.0)
    record = records(store)["ip:10.0.0.1"]
    assert (record.active, record.version, record.first_seen) == (True, 3, 10.0)


def test_a_snapshot_makes_the_others_of_its_local_inactive(store):
    report(store, new=(device(1), device(2), device(3)))
    report(store, local_id="lc_2", new=(device(1),))
    lost = report(store, snapshot=True, updated=(device(2),), new=(device(4),))
    assert lost == ["ip:10.0.0.1", "ip:10.0.0.3"]
    present = {(item.local_id, item.device.device_id) for item in store.devices(active=True)}
    assert present == {
        ("lc_1", "ip:10.0.0.2"),
        ("lc_1", "ip:10.0.0.4"),
        ("lc_2", "ip:10.0.0.1"),
    }


@settings(max_examples=30)
@given(PAYLOADS["discovery_report"])
def test_any_report_can_be_stored(drawn):
    with Store.open(":memory:") as store:
        report(store, new=drawn.new, updated=drawn.updated, snapshot=True)
        expected = {d.device_id: d for d in (*drawn.new, *drawn.updated)}
        assert {item.device.device_id: item.device for item in store.devices()} == expected


# Summaries of regions.


def summary(region: str, **changes) -> Summary:
    lists = {"locals": (), "new": (), "updated": (), "inactive": (), "snapshot": False}
    return Summary(region=region, active=0, **(lists | changes))


def test_summaries_make_the_view_of_the_network(store):
    def in_region(number: int) -> RegionDevice:
        return RegionDevice(local_id="lc_1", device=device(number))

    with store.transaction() as tx:
        tx.apply_summary(summary("A", new=(in_region(1), in_region(2))), at=1.0)
        tx.apply_summary(
            summary("B", new=(RegionDevice(local_id="lc_9", device=device(9)),)), at=1.0
        )
        loss = RegionLoss(local_id="lc_1", device_id="ip:10.0.0.1")
        tx.apply_summary(summary("A", inactive=(loss,)), at=2.0)
    assert store.count_active() == 2
    with store.transaction() as tx:
        tx.apply_summary(summary("A", snapshot=True, updated=(in_region(3),)), at=3.0)
    assert {i.device.device_id for i in store.devices(active=True)} == {
        "ip:10.0.0.3",
        "ip:10.0.0.9",
    }


def test_what_a_region_does_not_know_stays_and_of_whom_it_knows_all_the_rest_goes(store):
    def of(local_id: str, *numbers: int) -> tuple[RegionDevice, ...]:
        return tuple(RegionDevice(local_id=local_id, device=device(n)) for n in numbers)

    def present() -> set[tuple[str, str]]:
        return {(i.local_id, i.device.device_id[-1]) for i in store.devices(active=True)}

    with store.transaction() as tx:
        tx.apply_summary(summary("A", new=of("lc_1", 1, 2) + of("lc_2", 3) + of("lc_3", 4)), at=1.0)
        tx.apply_summary(summary("A", snapshot=True, unknown=("lc_1", "lc_2")), at=2.0)
    assert present() == {("lc_1", "1"), ("lc_1", "2"), ("lc_2", "3")}
    with store.transaction() as tx:
        tx.apply_summary(summary("A", whole=("lc_1",), updated=of("lc_1", 2, 5)), at=3.0)
    assert present() == {("lc_1", "2"), ("lc_1", "5"), ("lc_2", "3")}


def test_a_mac_in_two_regions_is_found_while_it_is_present_in_both(store):
    report(store, new=(device(1), device(2), device(3, mac=None)))
    report(store, local_id="lc_2", new=(device(2),))
    report(store, local_id="lc_9", region="B", new=(device(1), device(3, mac=None)))
    assert store.macs_in_several_regions() == {"00:00:00:00:00:01": {"A", "B"}}
    report(store, inactive=("ip:10.0.0.1",))
    assert store.macs_in_several_regions() == {}


# What a local controller remembers.


def test_known_devices_are_read_as_they_were_written(store):
    one = Known(device=device(1), missed=0, silent={"snmp": 2}, mac_source="arp")
    two = Known(device=device(2), active=False, missed=5)
    with store.transaction() as tx:
        tx.put_known("lc_1", "A", [one, two], seen=(), at=10.0)
    assert store.known() == {"ip:10.0.0.1": one, "ip:10.0.0.2": two}


def test_known_devices_are_updated_and_deleted(store):
    def put(at: float, *known: Known) -> None:
        with store.transaction() as tx:
            seen = [item.device.device_id for item in known if not item.missed]
            tx.put_known("lc_1", "A", known, seen=seen, at=at)

    put(10.0, Known(device=device(1)), Known(device=device(2)), Known(device=device(3)))
    missed = Known(device=device(1), missed=1)
    put(20.0, missed, Known(device=device(2, sys_name="core")))
    assert store.known() == {
        "ip:10.0.0.1": missed,
        "ip:10.0.0.2": Known(device=device(2, sys_name="core")),
    }
    found = records(store)
    assert [(r.version, r.last_seen) for r in found.values()] == [(1, 10.0), (2, 20.0)]
    put(30.0, Known(device=device(1), missed=3, active=False))
    assert records(store)["ip:10.0.0.1"].version == 2
    assert store.count_active() == 0


# Numbers, epochs, policies, controllers, events.


def test_an_offset_and_its_effect_are_committed_together(store):
    def take(seq: int, *, fail: bool = False) -> Verdict:
        with store.transaction() as tx:
            verdict = tx.judge(sender="lc_1", stream="s", epoch=1, seq=seq)
            tx.advance(sender="lc_1", stream="s", to=Offset(1, seq))
            tx.put_cycle(
                LocalCycle(local_id="lc_1", epoch=1, cycle=seq, active=0), region="A", at=1.0
            )
            if fail:
                raise RuntimeError
        return verdict

    assert take(1) is Verdict.UNKNOWN
    with pytest.raises(RuntimeError):
        take(2, fail=True)
    assert store.cycles()[0].cycle == 1
    assert take(2) is Verdict.NEXT
    assert take(2) is Verdict.DUPLICATE
    assert take(5) is Verdict.GAP
    assert take(4) is Verdict.DUPLICATE


def test_offsets_are_stored_by_sender_and_stream(store):
    with store.transaction() as tx:
        for sender, stream in (("a", "s"), ("a", "t"), ("b", "s")):
            assert tx.committed(sender, stream) is None
            tx.advance(sender=sender, stream=stream, to=Offset(3, 1))
        tx.advance(sender="a", stream="s", to=Offset(3, 2))
        assert tx.committed("a", "s") == Offset(3, 2)
        assert tx.committed("b", "s") == Offset(3, 1)
        assert tx.judge(sender="a", stream="s", epoch=2, seq=3) is Verdict.STALE


def test_a_transaction_returns_the_streams_that_it_advanced(store):
    with store.transaction() as tx:
        tx.advance(sender="a", stream="s", to=Offset(1, 1))
        tx.advance(sender="b", stream="s", to=Offset(1, 7), applied=0)  # passed over
    assert tx.advanced == [("a", "s", Offset(1, 1), 1), ("b", "s", Offset(1, 7), 0)]
    with store.transaction() as tx:
        assert tx.accept_next("a", "s", 1, 2)
        assert tx.accept_next("a", "s", 1, 3)
        assert not tx.accept_next("a", "s", 1, 3)
        assert not tx.accept_next("a", "s", 2, 1)
        tx.advance(sender="a", stream="s", to=Offset(2, 1))
        assert tx.accept_next("a", "s", 2, 2)
        assert tx.accept_next("b", "s", 1, 8)
    assert tx.advanced == [("a", "s", Offset(2, 2), 2), ("b", "s", Offset(1, 8), 1)]
    ended = store.counters()[("a", "s", 1)]
    assert (ended.seq, ended.applied) == (3, 3)
    with store.transaction() as tx:
        assert tx.judge(sender="a", stream="s", epoch=2, seq=3) is Verdict.NEXT
    assert tx.advanced == []


def test_numbers_of_a_transaction_that_fails_are_accepted_again(store):
    def follow(*, fail: bool) -> Transaction:
        with store.transaction() as tx:
            assert tx.accept_next("a", "s", 1, 2)
            if fail:
                raise RuntimeError
        return tx

    with store.transaction() as tx:
        tx.advance(sender="a", stream="s", to=Offset(1, 1))
    with pytest.raises(RuntimeError):
        follow(fail=True)
    tx = follow(fail=False)
    assert tx.advanced == [("a", "s", Offset(1, 2), 1)]


def kept(seq: int, *, epoch: int = 1, stream: str = "s") -> OutboxRecord:
    return OutboxRecord(
        stream=stream, epoch=epoch, seq=seq, topic="t", data=bytes([seq]), qos=1, retain=False
    )


def test_the_outbox_returns_records_in_the_order_of_their_offsets(store):
    rows = [kept(2, epoch=2), kept(1, epoch=2), kept(9), kept(1, stream="other")]
    with store.transaction() as tx:
        for row in rows:
            tx.enqueue(row)
    assert store.outbox("s", START, 10) == [kept(9), kept(1, epoch=2), kept(2, epoch=2)]
    assert store.outbox("s", Offset(1, 9), 1) == [kept(1, epoch=2)]
    assert sorted(store.outbox_streams()) == ["other", "s"]


def test_acknowledge_deletes_records_up_to_an_offset_and_records_it(store):
    with store.transaction() as tx:
        for seq in (1, 2, 3):
            tx.enqueue(kept(seq))
    assert store.acknowledged("s") == START
    with store.transaction() as tx:
        assert tx.acknowledge("s", Offset(1, 2)) == 2
    assert store.outbox("s", START, 10) == [kept(3)]
    assert store.acknowledged("s") == Offset(1, 2)
    with store.transaction() as tx:
        assert tx.acknowledge("s", Offset(1, 1)) == 0
    assert store.acknowledged("s") == Offset(1, 2)


def test_records_of_a_transaction_that_fails_are_not_enqueued(store):
    def keep_and_fail():
        with store.transaction() as tx:
            tx.enqueue(kept(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        keep_and_fail()
    assert store.outbox_count() == 0


def test_an_epoch_is_higher_than_all_before_and_than_the_clock(place):
    began = epoch_at(time.time())
    epochs = []
    for _ in range(3):
        with Store.open(place) as store:
            epochs += [store.begin_epoch(), store.begin_epoch()]
    assert epochs[0] >= began
    assert epochs == sorted(set(epochs))


def test_an_epoch_is_higher_than_that_of_a_store_that_was_lost_a_moment_ago(tmp_path):
    path, epochs = tmp_path / "a.db", []
    for _ in range(5):
        with Store.open(path) as store:
            epochs.append(store.begin_epoch())
        path.unlink()
    assert epochs == sorted(set(epochs))


def test_a_new_epoch_keeps_the_numbers_of_those_that_began_within_a_week_of_the_latest(place):
    now = time.time()
    older, old, latest = (epoch_at(now - days * 86_400) for days in (8, 6, 0))
    with Store.open(place) as store:
        for epoch in (older, old, latest):
            with store.transaction() as tx:
                tx.enqueue(kept(1, epoch=epoch))
                tx.acknowledge("s", Offset(epoch, 1))
                tx.advance(sender="lc_1", stream="s", to=Offset(epoch, 1))
        store.begin_epoch()
        assert [item.epoch for item in store.sent()] == [old, latest]
        assert [epoch for _, _, epoch in store.counters()] == [old, latest]


def test_an_older_policy_is_refused(store):
    def put(version: int, interval: float) -> bool:
        with store.transaction() as tx:
            return tx.put_policy(
                PolicyDocument(scope="A", version=version, scan_interval=interval), at=1.0
            )

    assert store.policy("A") is None
    assert put(5, 30.0)
    assert not put(4, 10.0)
    assert store.policy("A").document == PolicyDocument(scope="A", version=5, scan_interval=30.0)
    assert put(5, 30.0)
    assert put(6, 10.0)
    assert store.policy("A").document.version == 6
    assert store.policy("B") is None


def test_controllers_are_stored_as_of_their_last_status(store):
    with store.transaction() as tx:
        for epoch in (1, 2):
            tx.put_controller(
                controller_id="lc_1",
                role="local",
                region="A",
                state="online",
                epoch=epoch,
                connection=3,
                seq=4,
                at=10.0,
            )
        tx.set_controller_state("lc_1", "offline")
        tx.record_heartbeats([("lc_1", 1, 9), ("lc_1", 2, 5)])
    assert store.controllers() == [
        ControllerRecord(
            controller_id="lc_1",
            role="local",
            region="A",
            state="offline",
            epoch=2,
            connection=3,
            seq=5,
            changed_at=10.0,
        )
    ]


def test_events_are_ordered_and_cannot_be_changed_or_deleted(store):
    events = [
        Event(event=f"e{n}", severity="info", subject="lc_1", detail={"n": n, "list": ["a"]})
        for n in range(5)
    ]
    with store.transaction() as tx:
        for at, event in enumerate(events):
            tx.append_event(event, sender="rc_1", at=float(at))
    assert store.events(last=2) == [
        EventRecord(id=n + 1, at=float(n), sender="rc_1", event=events[n]) for n in (3, 4)
    ]
    assert [item.id for item in store.events(since=3.0)] == [4, 5]
    assert [item.id for item in store.events(after=4)] == [5]
    assert [item.id for item in store.events(None, since=1.0, after=1)] == [2, 3, 4, 5]
    for statement in ("UPDATE events SET sender = ''", "DELETE FROM events"):
        with (
            pytest.raises(sa.exc.IntegrityError, match="append-only"),
            store.transaction(),
        ):
            store._connection.exec_driver_sql(statement)
    assert len(store.events()) == 5


# The place.


def test_another_thread_may_not_use_a_store(store):
    failures = []

    def use() -> None:
        try:
            store.count_active()
        except Exception as exc:  # noqa: BLE001 - whatever it is
            failures.append(exc)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert "thread" in str(failures[0])


def test_stores_of_several_threads_do_not_mix(tmp_path):
    counts = {}

    def work(number: int) -> None:
        with Store.open(tmp_path / f"{number}.db") as store:
            report(store, new=[device(n) for n in range(1, number + 2)])
            counts[number] = store.count_active()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {n: n + 1 for n in range(8)}


def test_a_store_of_another_version_is_refused(place):
    with Store.open(place) as store, store.transaction() as tx:
        tx.flush()
        store._connection.exec_driver_sql(store._database.set_version(99))
    with pytest.raises(StateError, match="version 99"):
        Store.open(place)
    with pytest.raises(StateError, match="version 99"):
        open_reader(place)


# Readers.


def test_a_reader_sees_what_is_committed(store, place):
    report(store, new=(device(1),))
    with open_reader(place) as reader:
        assert reader.count_active() == 1
        report(store, new=(device(2),))
        assert reader.count_active() == 2


def test_a_reader_opens_what_its_writer_has_closed(place):
    with Store.open(place) as store:
        report(store, new=(device(1),))
    with open_reader(place) as reader:
        assert reader.count_active() == 1
