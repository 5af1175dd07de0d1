"""Transactions that are committed on a second thread while the next one is gathered."""

from __future__ import annotations

import subprocess

import pytest

from pdsno_cli.model.devices import Device
from pdsno_cli.model.errors import DiskError
from pdsno_cli.nib import rows
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.store import Store
from tests.conftest import require, require_root


class Log:
    """Gathers numbered transactions, each of one device, and records how they end."""

    def __init__(self, store):
        self.store = store
        self.ended = []

    def gather(self, number, *, names=("",), pipelined=True):
        with self.store.transaction(pipelined=True) as tx:
            tx.on_commit(lambda: self.ended.append(("committed", number)))
            tx.on_rollback(lambda: self.ended.append(("undone", number)))
            tx.advance(sender="lc", stream="s", to=Offset(1, number))
            devices = [
                Device(device_id=f"{number}{name}", addresses=("192.0.2.1",), protocols=("icmp",))
                for name in names
            ]
            tx.apply_changes(
                local_id="lc", region="r", new=devices, updated=(), inactive=(), snapshot=False,
                at=1.0,
            )  # fmt: skip
            if pipelined:
                tx.commit_async()

    def committed(self):
        with self.store.transaction() as tx:
            return tx.committed("lc", "s")


@pytest.fixture
def log(store):
    return Log(store)


def test_callbacks_run_in_order_of_commits_on_the_owners_thread(log, place):
    log.gather(1)
    assert log.ended == []
    log.gather(2)
    assert log.ended == [("committed", 1)]
    log.gather(3, pipelined=False)
    assert log.ended == [("committed", 1), ("committed", 2), ("committed", 3)]
    with open_reader(place) as reader:
        assert reader.count_active() == 3
    assert log.committed() == Offset(1, 3)


def test_a_query_waits_for_the_commit_under_way(log):
    log.gather(1)
    assert log.store.count_active() == 1
    assert log.ended == [("committed", 1)]


def test_closing_a_store_waits_for_the_commit_under_way(place):
    with Store.open(place) as store:
        Log(store).gather(1)
    with open_reader(place) as reader:
        assert reader.count_active() == 1


def refuse(monkeypatch, name):
    original = rows.device_row

    def row(local_id, region, device, *, at):
        if device.device_id == name:
            raise OverflowError(name)
        return original(local_id, region, device, at=at)

    monkeypatch.setattr(rows, "device_row", row)


def test_a_commit_that_fails_rolls_back_the_transaction_begun_on_top_of_it(log, monkeypatch):
    log.gather(1)
    refuse(monkeypatch, "2")
    log.gather(2)
    with pytest.raises(OverflowError):
        log.gather(3)
    assert log.ended == [("committed", 1), ("undone", 2), ("undone", 3)]
    assert log.committed() == Offset(1, 1)
    assert [record.device.device_id for record in log.store.device_records()] == ["1"]


def test_an_unrelated_transaction_goes_on_after_a_commit_that_failed(log, monkeypatch):
    refuse(monkeypatch, "1")
    log.gather(1)
    with log.store.transaction() as tx:
        assert log.ended == [("undone", 1)]
        tx.advance(sender="lc", stream="another", to=Offset(1, 1))
    with log.store.transaction() as tx:
        assert (tx.committed("lc", "s"), tx.committed("lc", "another")) == (None, Offset(1, 1))


def test_devices_are_counted_without_those_of_the_commit_under_way(log):
    log.gather(1)
    log.gather(2)
    assert log.store.count_active() == 1
    assert log.ended == [("committed", 1)]
    log.store.wait_committed()
    assert log.store.count_active() == 2
    log.gather(3, pipelined=False)
    assert log.store.count_active() == 3


def test_a_transaction_that_raises_leaves_the_one_before_committed(log):
    log.gather(1)

    def fail():
        with log.store.transaction() as tx:
            tx.advance(sender="lc", stream="s", to=Offset(1, 2))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert log.ended == [("committed", 1)]
    assert log.committed() == Offset(1, 1)


def test_a_full_disk_rolls_back_what_was_not_committed(tmp_path):
    require_root()
    mount, umount = require("mount"), require("umount")
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    try:
        with Store.open(tmp_path / "store.db") as store:
            log = Log(store)

            def fill():
                for number in range(1, 100):
                    log.gather(number, names=[f".{n}" for n in range(200)])

            with pytest.raises(DiskError, match="is full"):
                fill()
            committed = [number for outcome, number in log.ended if outcome == "committed"]
            undone = [number for outcome, number in log.ended if outcome == "undone"]
            assert undone == list(range(len(committed) + 1, len(committed) + len(undone) + 1))
            assert log.committed() == Offset(1, len(committed))
            assert store.count_active() == 200 * len(committed)
    finally:
        subprocess.run([umount, tmp_path], check=True)
