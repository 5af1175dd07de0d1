"""Transactions that are committed on another thread, while the next one is gathered."""

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
    """Gathers numbered transactions, each of one device, and hears how they end."""

    def __init__(self, store):
        self.store = store
        self.heard = []

    def gather(self, number, *, names=("",), behind=True):
        with self.store.transaction(pipelined=True) as tx:
            tx.on_commit(lambda: self.heard.append(("committed", number)))
            tx.on_rollback(lambda: self.heard.append(("undone", number)))
            tx.advance(sender="lc", stream="s", to=Offset(1, number))
            devices = [
                Device(device_id=f"{number}{name}", addresses=("192.0.2.1",), protocols=("icmp",))
                for name in names
            ]
            tx.apply_changes(
                local_id="lc", region="r", new=devices, updated=(), inactive=(), snapshot=False,
                at=1.0,
            )  # fmt: skip
            if behind:
                tx.commit_async()

    def mark(self):
        with self.store.transaction() as tx:
            return tx.committed("lc", "s")


@pytest.fixture
def log(store):
    return Log(store)


def test_each_is_told_of_its_commit_in_order_and_by_the_owner(log, place):
    log.gather(1)
    assert log.heard == []
    log.gather(2)
    assert log.heard == [("committed", 1)]
    log.gather(3, behind=False)
    assert log.heard == [("committed", 1), ("committed", 2), ("committed", 3)]
    with open_reader(place) as reader:
        assert reader.count_active() == 3
    assert log.mark() == Offset(1, 3)


def test_a_question_waits_for_what_is_still_being_committed(log):
    log.gather(1)
    assert log.store.count_active() == 1
    assert log.heard == [("committed", 1)]


def test_closing_a_store_waits_for_what_is_still_being_committed(place):
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


def test_one_that_fails_is_undone_together_with_the_one_gathered_upon_it(log, monkeypatch):
    log.gather(1)
    refuse(monkeypatch, "2")
    log.gather(2)
    with pytest.raises(OverflowError):
        log.gather(3)
    assert log.heard == [("committed", 1), ("undone", 2), ("undone", 3)]
    assert log.mark() == Offset(1, 1)
    assert [record.device.device_id for record in log.store.device_records()] == ["1"]


def test_who_has_nothing_to_do_with_one_that_fails_goes_on(log, monkeypatch):
    refuse(monkeypatch, "1")
    log.gather(1)
    with log.store.transaction() as tx:
        assert log.heard == [("undone", 1)]
        tx.advance(sender="lc", stream="another", to=Offset(1, 1))
    with log.store.transaction() as tx:
        assert (tx.committed("lc", "s"), tx.committed("lc", "another")) == (None, Offset(1, 1))


def test_devices_are_counted_without_those_that_are_still_being_committed(log):
    log.gather(1)
    log.gather(2)
    assert log.store.count_active() == 1
    assert log.heard == [("committed", 1)]
    log.store.wait_committed()
    assert log.store.count_active() == 2
    log.gather(3, behind=False)
    assert log.store.count_active() == 3


def test_one_that_fails_while_it_is_gathered_leaves_the_one_before_committed(log):
    log.gather(1)

    def fail():
        with log.store.transaction() as tx:
            tx.advance(sender="lc", stream="s", to=Offset(1, 2))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert log.heard == [("committed", 1)]
    assert log.mark() == Offset(1, 1)


def test_a_full_disk_is_told_and_what_was_not_committed_is_undone(tmp_path):
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
            committed = [number for told, number in log.heard if told == "committed"]
            undone = [number for told, number in log.heard if told == "undone"]
            assert undone == list(range(len(committed) + 1, len(committed) + len(undone) + 1))
            assert log.mark() == Offset(1, len(committed))
            assert store.count_active() == 200 * len(committed)
    finally:
        subprocess.run([umount, tmp_path], check=True)
