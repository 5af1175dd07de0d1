from __future__ import annotations

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.http_wire import MAX_MESSAGES, Item
from pdsno_cli.messaging.poll_queues import CAPACITY
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.topics import GLOBAL
from tests.messaging.http_site import CHILD, CODEC, make_queues, sealed, status, topic_of
from tests.messaging.samples import LIMIT, TOPICS

ACK = TOPICS.ack(CHILD)


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def beat(seq: int = 1, *, epoch: int = 1) -> list[Item]:
    return [Item(TOPICS.status(CHILD), status(seq, epoch=epoch).decode())]


def policy(version: int) -> bytes:
    return CODEC.seal(
        topic=TOPICS.policy(GLOBAL),
        sender_id="global_cntl_1",
        message_type="policy",
        payload=PolicyDocument(scope=GLOBAL, version=version),
        epoch=1,
        seq=version,
    )


def data(queues, seen: str = "") -> list[bytes]:
    return [item.data.encode() for item in queues.collect(CHILD, seen).items]


def test_register_without_a_proof_of_identity_returns_none_and_queues_nothing():
    queues = make_queues()
    queues.offer(TOPICS.policy("zone-A"), b"policy", retain=True)
    assert queues.register(beat(), None) is None  # as whoever received the message may bring it
    assert not queues.offer(ACK, b"1", retain=False)
    assert data(queues) == []
    assert queues.register((), "lc_2") is None
    assert queues.register((), CHILD) == CHILD  # it is known by what somebody brought
    assert data(queues) == [b"policy"]


def test_register_takes_the_sender_of_the_first_verified_message():
    queues = make_queues()
    forged = Item(TOPICS.status(CHILD), status(1).decode().replace("heartbeat", "death"))
    assert queues.register([forged], CHILD) is None
    assert queues.register([forged, *beat()], CHILD) == CHILD


def test_register_of_a_foreign_sender_returns_none():
    queues = make_queues()
    other_key = Codec(bytes(32), TOPICS, LIMIT)
    strange = other_key.seal(
        topic=ACK, sender_id=CHILD, message_type="ack",
        payload=CODEC.open(topic_of("ack"), sealed("ack")).payload, epoch=1, seq=1,
    )  # fmt: skip
    assert queues.register([Item(ACK, strange.decode())], CHILD) is None
    report = Item(topic_of("summary"), sealed("summary").decode())
    assert queues.register([report], CHILD) is None  # rc_1 is signed, and no child here


def test_message_of_an_older_epoch_does_not_reset_the_queue():
    queues = make_queues()
    queues.offer(TOPICS.policy("zone-A"), b"policy", retain=True)
    queues.register(beat(epoch=5), CHILD)
    seen = queues.collect(CHILD, "").seen
    queues.register(beat(epoch=4), CHILD)
    assert data(queues, seen) == []


def test_offer_is_queued_for_current_subscribers_only():
    queues = make_queues()
    assert not queues.offer(ACK, b"1", retain=False)
    queues.register(beat(), CHILD)
    assert queues.offer(ACK, b"2", retain=False)
    assert not queues.offer(TOPICS.ack("lc_2"), b"3", retain=False)
    assert data(queues) == [b"2"]


def test_offer_is_not_queued_after_three_missed_heartbeats():
    clock = Clock()
    queues = make_queues(clock=clock)
    queues.register(beat(), CHILD)
    clock.now += 3.1
    assert not queues.offer(ACK, b"1", retain=False)
    queues.register(beat(2), CHILD)
    assert data(queues) == []


def test_retained_message_is_queued_for_new_clients_and_restarted_ones():
    queues = make_queues()
    assert not queues.offer(TOPICS.policy("zone-A"), b"old", retain=True)
    queues.offer(TOPICS.policy("zone-A"), b"new", retain=True)
    queues.register(beat(), CHILD)
    seen = queues.collect(CHILD, "").seen
    assert data(queues) == [b"new"]
    queues.register(beat(2), CHILD)
    assert data(queues, seen) == []
    queues.register(beat(epoch=2), CHILD)
    assert data(queues, seen) == [b"new"]  # the cursor is of its former life


def test_collect_returns_one_batch_and_if_more_is_queued():
    queues = make_queues()
    queues.register(beat(), CHILD)
    for number in range(MAX_MESSAGES + 5):
        queues.offer(ACK, b"%d" % number, retain=False)
    first = queues.collect(CHILD, "")
    assert (len(first.items), first.more) == (MAX_MESSAGES, True)
    rest = queues.collect(CHILD, first.seen)
    assert [item.data for item in rest.items] == ["200", "201", "202", "203", "204"]
    assert not rest.more


def test_offer_beyond_the_capacity_drops_the_oldest():
    queues = make_queues()
    queues.register(beat(), CHILD)
    for number in range(CAPACITY + 3):
        queues.offer(ACK, b"%d" % number, retain=False)
    assert data(queues)[0] == b"3"


def test_relay_passes_on_a_verified_policy_and_never_an_older_one():
    queues = make_queues()
    queues.register(beat(), CHILD)
    queues.relay(TOPICS.policy(GLOBAL), policy(2))
    queues.relay(TOPICS.policy(GLOBAL), policy(1))
    queues.relay(TOPICS.policy(GLOBAL), policy(3).replace(b'"version":3', b'"version":9'))
    queues.relay(TOPICS.policy("zone-A"), b"not asked for")
    (only,) = data(queues)
    assert b'"version":2' in only


def test_watch_calls_back_when_a_message_is_queued():
    queues = make_queues()
    queues.register(beat(), CHILD)
    calls = []
    queues.watch(CHILD, lambda: calls.append("message"))
    queues.offer(ACK, b"1", retain=False)
    queues.watch(CHILD, None)
    queues.offer(ACK, b"2", retain=False)
    assert calls == ["message"]
