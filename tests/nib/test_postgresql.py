"""Stores in a PostgreSQL server: kept apart, one writer each, and what the server's end means."""

from __future__ import annotations

import sys
import time
import uuid

import pytest
import sqlalchemy as sa

from pdsno_cli.model.errors import StateError, StoreUnavailableError, UsageError
from pdsno_cli.nib import places
from pdsno_cli.nib.database import MissingStoreError, StoreInUseError
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.places import find
from pdsno_cli.nib.reader import open_reader
from pdsno_cli.nib.schema import UPGRADES, VERSION
from pdsno_cli.nib.store import Store
from tests.nib.test_store import device, report
from tests.postgres import PASSWORD, Postgres


@pytest.fixture
def place(database):
    return find(database, uuid.uuid4().hex)


@pytest.fixture
def own_server():
    """Return a server that a test may end."""
    server = Postgres()
    yield server
    server.close()


def test_stores_of_many_controllers_share_a_database(postgres):
    url = postgres.url(postgres.create_database())
    long = "x" * 70
    owners = ["one/rc", "one/RC", "o/ne/rc", "one/r%c", "one/r'\"c é", long + "1", long + "2"]
    stores = [Store.open(find(url, owner)) for owner in owners]
    for number, store in enumerate(stores, 1):
        report(store, new=[device(n) for n in range(number)])
    assert [store.count_active() for store in stores] == [1, 2, 3, 4, 5, 6, 7]
    for number, (store, owner) in enumerate(zip(stores, owners, strict=True), 1):
        store.close()
        with open_reader(find(url, owner)) as reader:
            assert reader.count_active() == number


def test_a_second_writer_is_refused_and_a_reader_is_not(store, place, monkeypatch):
    monkeypatch.setattr("pdsno_cli.nib.postgresql._BUSY", 0.3)
    report(store, new=(device(1),))
    with pytest.raises(StoreInUseError, match=r"in use by another process at 127\.0\.0\.1"):
        Store.open(place)
    with open_reader(place) as reader:
        assert reader.count_active() == 1
    store.close()
    with Store.open(place) as second:
        assert second.count_active() == 1


def test_a_reader_writes_nothing_and_sees_one_moment(store, place):
    report(store, new=(device(1),))
    with open_reader(place) as reader:
        with reader._database.transaction(reader._connection, write=False):
            assert reader.count_active() == 1
            report(store, new=(device(2),))
            assert reader.count_active() == 1
        assert reader.count_active() == 2
        with (
            pytest.raises(StoreUnavailableError, match="read-only"),
            reader._database.transaction(reader._connection, write=True),
        ):
            reader._connection.exec_driver_sql("DELETE FROM devices")


def test_a_reader_does_not_make_what_is_not_there(database, place):
    with pytest.raises(MissingStoreError, match="empty"):
        open_reader(place)
    with pytest.raises(MissingStoreError, match="empty"):
        open_reader(place)


def test_commits_are_on_the_disk_when_they_return(postgres):
    name = postgres.create_database()
    postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with Store.open(find(postgres.url(name), "one/rc")) as store:
        shown = store._connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
    assert shown == "on"


def mark(store, seq, *, pipelined=False):
    with store.transaction(pipelined=True) as tx:
        tx.advance(sender="lc", stream="s", to=Offset(1, seq))
        if pipelined:
            tx.commit_async()


@pytest.mark.parametrize("pipelined", [False, True])
def test_what_a_server_confirmed_before_it_was_killed_is_there_when_it_is_back(
    own_server, pipelined
):
    place = find(own_server.url("postgres"), "one/rc")
    store = Store.open(place)
    mark(store, 1)
    mark(store, 2, pipelined=pipelined)
    store.wait_committed()
    own_server.kill()

    def go_on():
        for seq in (3, 4):
            mark(store, seq, pipelined=pipelined)
        store.wait_committed()

    with pytest.raises(StoreUnavailableError, match="the store one/rc in postgresql://"):
        go_on()
    store.close()
    with pytest.raises(StoreUnavailableError, match=r"cannot be used now: .*refused"):
        Store.open(place)
    own_server.start()
    with Store.open(place) as again:
        assert again.committed("lc", "s") == Offset(1, 2)


@pytest.mark.parametrize("written", [False, True])
def test_a_rollback_calls_back_even_if_the_server_is_gone(own_server, written):
    place = find(own_server.url("postgres"), "one/rc")
    called = []

    def fail(store):
        with store.transaction() as tx:
            tx.on_rollback(lambda: called.append("rollback"))
            tx.advance(sender="lc", stream="s", to=Offset(1, 1))
            if written:
                tx.set_epoch(7)
            own_server.kill()
            raise ValueError("a bug")

    with Store.open(place) as store, pytest.raises((ValueError, StoreUnavailableError)):
        fail(store)
    assert called == ["rollback"]


def test_a_store_whose_schema_was_dropped_is_made_again(postgres):
    name = postgres.create_database()
    place = find(postgres.url(name), "one/rc")
    with Store.open(place) as store:
        mark(store, 1)
        postgres.execute('DROP SCHEMA "one/rc" CASCADE', name)
        with pytest.raises(StoreUnavailableError, match="does not exist"):
            mark(store, 2)
    with Store.open(place) as again:
        assert again.committed("lc", "s") is None


def test_a_transaction_that_the_server_ended_for_its_idleness_may_be_tried_again(postgres):
    name = postgres.create_database()
    postgres.execute(f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = 50")
    place = find(postgres.url(name), "one/rc")

    def idle(store):
        with store.transaction() as tx:
            tx.set_epoch(7)
            time.sleep(0.3)
            tx.advance(sender="lc", stream="s", to=Offset(1, 1))

    with Store.open(place) as store, pytest.raises(StoreUnavailableError, match="idle"):
        idle(store)
    with Store.open(place) as again:
        mark(again, 1)


def test_a_text_that_the_server_cannot_hold_undoes_its_transaction_alone(store):
    report(store, new=(device(1),))
    with pytest.raises(sa.exc.DataError, match="NUL"):
        report(store, new=(device(2), device(3, sys_name="a\0b")))
    report(store, new=(device(4),))
    assert store.count_active() == 2


def test_a_store_of_an_earlier_version_is_upgraded_and_keeps_its_rows(place):
    def downgrade(store):
        added = ("controllers", "seq"), ("cycles", "seen_at"), ("cycles", "silent")
        statements = [f"ALTER TABLE {table} DROP COLUMN {name}" for table, name in added]
        statements += ["ALTER TABLE devices DROP COLUMN extra", "DELETE FROM controllers"]
        statements += ["INSERT INTO controllers VALUES ('lc', 'local', 'A', 'online', 7, 1, 10.0)"]
        store._run((*statements, store._database.set_version(min(UPGRADES))))

    with Store.open(place) as store:
        downgrade(store)
        epoch = store.begin_epoch()
    with pytest.raises(StateError, match="its controller upgrades it"):
        open_reader(place)
    with Store.open(place) as upgraded:
        assert upgraded.version() == VERSION
        assert [(item.controller_id, item.seq) for item in upgraded.controllers()] == [("lc", 0)]
        assert upgraded.begin_epoch() > epoch
        report(upgraded, new=(device(1, extra={"a": "x"}),))
        assert upgraded.count_active() == 1


def test_a_password_is_in_no_message_and_not_in_the_name(postgres):
    for password in ("wr%6Fng", "p%40ss%3Aw%2Frd"):
        place = find(postgres.url("nowhere", password), "one/rc")
        with pytest.raises(StoreUnavailableError) as caught:
            Store.open(place)
        assert f"the store one/rc in postgresql://pdsno@127.0.0.1:{postgres.port}/nowhere" in str(
            caught.value
        )
        texts = str(caught.value), repr(caught.value.__cause__), place.name
        assert not any(secret in text for secret in ("wrong", PASSWORD, password) for text in texts)


@pytest.mark.parametrize("rest", ["u:secret@h:port/d", "u:se@cret/x@h:1/d"])
def test_a_url_that_cannot_be_read_is_refused_without_being_shown(rest):
    with pytest.raises(UsageError, match="cannot be read") as caught:
        find(f"postgresql+psycopg://{rest}")
    assert caught.value.__cause__ is None


def test_a_user_who_may_not_make_the_schema_is_one_clear_line(postgres):
    name = postgres.create_database()
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    place = find(f"postgresql+psycopg://guest:guest@127.0.0.1:{postgres.port}/{name}", "one/rc")
    with pytest.raises(StateError, match=r'permission denied .* CREATE SCHEMA "one/rc" AUTHORI'):
        Store.open(place)
    postgres.execute('CREATE SCHEMA "one/rc" AUTHORIZATION guest', name)
    with Store.open(place) as store:
        report(store, new=(device(1),))
        assert store.count_active() == 1


def test_a_driver_that_is_not_installed_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "pdsno_cli.nib.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StateError, match=r"needs psycopg.*pip install 'pdsno\[postgresql\]'"):
        places.find("postgresql+psycopg://h/d")
