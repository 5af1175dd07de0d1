"""Stores are read one after another, while messages go on from one to the other."""

from __future__ import annotations

import pytest

from pdsno_cli.client import audit
from pdsno_cli.lint.engine import require
from pdsno_cli.nib.offsets import Offset
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import ONE_OF_EACH

STREAM = "discovery/r/lc"


class Play:
    """A local and a regional controller's stores; message 1 is committed by both."""

    def __init__(self, folder) -> None:
        self.state = StateDir(folder / "state")
        self.state.make()
        file = folder / "t.yaml"
        file.write_text(ONE_OF_EACH)
        self.topology = require(str(file))
        self.stores = {name: Store.open(self.state.store(name)) for name in ("gc", "rc", "lc")}
        self.keep(1)
        self.commit(1)

    def keep(self, *numbers: int, coalesce: bool = False) -> None:
        with self.stores["lc"].transaction() as tx:
            if coalesce:
                tx.coalesce(STREAM)
            for seq in numbers:
                tx.enqueue(OutboxRecord(stream=STREAM, epoch=1, seq=seq, topic="t", data=b"", qos=1,
                             retain=False))  # fmt: skip

    def commit(self, to: int, applied: int = 1) -> None:
        with self.stores["rc"].transaction() as tx:
            tx.advance(sender="lc", stream=STREAM, to=Offset(1, to), applied=applied)

    def account(self) -> dict[str, int]:
        """Audit; return what the stream's account counts."""
        found, _ = audit.accounts(self.topology, self.state)
        (account,) = (item for item in found if item.stream == STREAM)
        names = ("sent", "committed", "coalesced", "waiting", "lost", "twice")
        return {name: getattr(account, name) for name in names if getattr(account, name)}


@pytest.fixture
def play(tmp_path):
    made = Play(tmp_path)
    yield made
    for store in made.stores.values():
        store.close()


@pytest.fixture
def meanwhile(monkeypatch, play):
    """Have something happen once every sender is read and no receiver is."""
    read = audit.open_reader

    def during(happens) -> None:
        opened = []

        def open_reader(path):
            if len(opened) == len(play.stores):
                happens()
            opened.append(path)
            return read(path)

        monkeypatch.setattr(audit, "open_reader", open_reader)

    return during


def test_message_sent_and_committed_between_the_readings_is_no_repetition(play, meanwhile):
    def happens() -> None:
        play.keep(2)
        play.commit(2)

    meanwhile(happens)
    assert play.account() == {"sent": 2, "committed": 2}


def test_messages_that_give_way_between_the_readings_are_no_loss(play, meanwhile):
    play.keep(2, 3)

    def happens() -> None:
        play.keep(4, coalesce=True)
        play.commit(4)

    meanwhile(happens)
    assert play.account() == {"sent": 4, "committed": 2, "coalesced": 2}


def test_messages_that_another_receiver_skips_between_the_readings_are_no_loss(play, meanwhile):
    play.keep(2, 3)

    def happens() -> None:
        with play.stores["lc"].transaction() as tx:
            tx.acknowledge(STREAM, Offset(1, 3))
        with play.stores["rc"].transaction() as tx:
            tx.forget_sender("lc")
            tx.advance(sender="lc", stream=STREAM, to=Offset(1, 3), applied=0)

    meanwhile(happens)
    assert play.account() == {"sent": 3}


def test_message_sent_between_the_readings_that_is_not_committed_yet_is_not_counted(
    play, meanwhile
):
    meanwhile(lambda: play.keep(2))
    assert play.account() == {"sent": 1, "committed": 1}


def test_message_that_was_never_sent_is_found_while_others_come(play, meanwhile):
    def happens() -> None:
        play.keep(2)
        play.commit(3, applied=2)

    meanwhile(happens)
    assert play.account() == {"sent": 2, "committed": 3, "twice": 1}


def test_message_that_was_never_sent_counts_as_a_repetition(play):
    play.commit(2)
    assert play.account() == {"sent": 1, "committed": 2, "twice": 1}
