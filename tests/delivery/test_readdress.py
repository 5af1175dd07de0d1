"""Messages that were queued under another root or key."""

from __future__ import annotations

from contextlib import closing

import pytest

from pdsno_cli.delivery.readdress import readdress
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.model.messages import Event
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.nib.offsets import START
from pdsno_cli.nib.outbox_table import OutboxRecord
from pdsno_cli.nib.store import Store

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
STREAM = "events/system"


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(tmp_path / "store.db")) as opened:
        yield opened


def enqueue(store, codec, topics, *numbers):
    with store.transaction() as tx:
        for epoch, seq in numbers:
            topic = topics.events("system")
            data = codec.seal(
                topic=topic,
                sender_id="gc",
                message_type="event",
                payload=Event(event="controller_up", severity="info", subject=f"lc{seq}"),
                epoch=epoch,
                seq=seq,
            )
            tx.enqueue(
                OutboxRecord(
                    stream=STREAM, epoch=epoch, seq=seq, topic=topic, data=data, qos=1,
                    retain=False, kept_at=float(seq),
                )
            )  # fmt: skip


@pytest.mark.parametrize("root", ["pdsno", "elsewhere"])
@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_messages_of_before_are_signed_for_the_present_root_and_key(store, root, key):
    old = TopicMap()
    enqueue(store, Codec(KEY, old, 1_000_000), old, (1, 1), (1, 2), (2, 1))
    before = store.outbox(STREAM, START, 10)
    now = TopicMap(root=root)
    codec = Codec(key, now, 1_000_000)
    enqueue(store, codec, now, (3, 1))
    expected = 0 if (root, key) == ("pdsno", KEY) else 3
    assert readdress(store, codec, now) == expected
    found = store.outbox(STREAM, START, 10)
    assert [tuple(kept.offset) for kept in found] == [(1, 1), (1, 2), (2, 1), (3, 1)]
    opened = [codec.open(kept.topic, kept.data) for kept in found]
    assert [(item.epoch, item.seq) for item in opened] == [(1, 1), (1, 2), (2, 1), (3, 1)]
    assert [item.payload.subject for item in opened] == ["lc1", "lc2", "lc1", "lc1"]
    assert [kept.kept_at for kept in found[:3]] == [kept.kept_at for kept in before]
    assert {kept.topic for kept in found} == {f"{root}/{STREAM}"}
    assert readdress(store, codec, now) == 0
    if expected == 0:
        assert found[:3] == before
