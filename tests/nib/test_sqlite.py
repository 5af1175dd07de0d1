"""The file of a store: private, durable, and one clear line where it cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pdsno_cli.model.errors import OperationError, StateError, UsageError
from pdsno_cli.nib.database import MissingStoreError
from pdsno_cli.nib.preload import preload
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.schema import UPGRADES, VERSION
from pdsno_cli.nib.store import Store
from tests.conftest import require, require_root
from tests.nib.test_store import device, report


@pytest.fixture
def place(path):
    return path


def test_the_file_and_its_companions_are_private(store, path):
    report(store, new=(device(1),))
    found = {item.name: stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()}
    assert found == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_commits_are_on_the_disk_when_they_return(store):
    def pragma(name: str) -> object:
        return store._connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    assert (pragma("journal_mode"), pragma("synchronous")) == ("wal", 2)


def test_a_store_is_opened_by_path_and_by_url(tmp_path):
    for place in (tmp_path / "a.db", str(tmp_path / "a.db"), f"sqlite:///{tmp_path}/a.db"):
        with Store.open(place) as store:
            report(store, new=(device(1),))
            assert store.count_active() == 1
    with pytest.raises(UsageError, match="mysql"):
        Store.open("mysql://somewhere")


def test_a_place_that_cannot_be_used_is_one_clear_line(tmp_path):
    missing = tmp_path / "nowhere" / "store.db"
    with pytest.raises(StateError, match="cannot be opened: No such file") as caught:
        Store.open(missing)
    assert str(missing) in str(caught.value)


@pytest.mark.parametrize("content", [b"nonsense" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_store_is_one_clear_line(path, content):
    path.write_bytes(content)
    with pytest.raises(StateError, match="is damaged or not a store: move it away"):
        Store.open(path)


def test_a_full_disk_is_one_clear_line_and_nothing_is_lost(tmp_path):
    require_root()
    mount = require("mount")
    subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True)
    try:
        with Store.open(tmp_path / "store.db") as store:
            report(store, new=(device(1),))
            big = device(2, sys_descr="x" * 2_000_000)
            with pytest.raises(OperationError, match="is full"):
                report(store, new=(big,))
            assert store.count_active() == 1
            report(store, new=(device(3),))
            assert store.count_active() == 2
    finally:
        subprocess.run([require("umount"), tmp_path], check=True)


def test_a_disk_that_was_full_before_is_named_as_full(tmp_path):
    require_root()
    subprocess.run(
        [require("mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], check=True
    )
    try:
        with Store.open(tmp_path / "store.db") as store:
            report(store, new=(device(1),))
        with suppress(OSError), (tmp_path / "ballast").open("wb", buffering=0) as ballast:
            while ballast.write(b"\0" * 4096):
                pass
        with pytest.raises(OperationError, match=r"the disk of .*store.db is full"):
            Store.open(tmp_path / "store.db").begin_epoch()
        (tmp_path / "ballast").unlink()
        with Store.open(tmp_path / "store.db") as store:
            assert store.count_active() == 1
    finally:
        subprocess.run([require("umount"), tmp_path], check=True)


def test_a_reader_does_not_make_what_is_not_there(path):
    with pytest.raises(MissingStoreError, match="does not exist"):
        open_reader(path)
    path.touch()
    with pytest.raises(MissingStoreError, match="empty"):
        open_reader(path)
    assert list(path.parent.iterdir()) == [path]


def test_preload_leaves_nothing_open(tmp_path):
    before = set(Path("/proc/self/fd").iterdir())
    preload()
    assert set(Path("/proc/self/fd").iterdir()) <= before


def test_a_store_of_the_version_before_is_upgraded_and_keeps_what_it_holds(tmp_path):
    path = tmp_path / "old.db"
    with Store.open(path) as made:
        first = made.begin_epoch()
    with closing(sqlite3.connect(path)) as old:
        old.execute("ALTER TABLE controllers DROP COLUMN seq")
        old.execute("ALTER TABLE cycles DROP COLUMN seen_at")
        old.execute("ALTER TABLE cycles DROP COLUMN silent")
        old.execute("ALTER TABLE devices DROP COLUMN extra")
        old.execute("INSERT INTO controllers VALUES ('lc_1', 'local', 'A', 'online', 7, 1, 10.0)")
        old.execute(f"PRAGMA user_version = {min(UPGRADES)}")
        old.commit()
    with Store.open(path) as upgraded:
        assert upgraded.version() == VERSION
        assert [(c.controller_id, c.seq) for c in upgraded.controllers()] == [("lc_1", 0)]
        assert upgraded.begin_epoch() > first


def test_a_reader_writes_nothing(store, path):
    report(store, new=(device(1), device(2)))
    with (
        open_reader(path) as reader,
        pytest.raises(StateError, match="readonly"),
        reader._database.transaction(reader._connection, write=True),
    ):
        reader._connection.exec_driver_sql("DELETE FROM devices")
    assert store.count_active() == 2
