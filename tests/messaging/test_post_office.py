from __future__ import annotations

from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.http_wire import MAX_MESSAGES, Item
from pdsno_cli.messaging.post_office import CAPACITY
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.topics import GLOBAL
from tests.messaging.http_site import CHILD, CODEC, make_office, sealed, status, topic_of
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


def data(office, seen: str = "") -> list[bytes]:
    return [item.data.encode() for item in office.collect(CHILD, seen).items]


def test_visit_of_who_does_not_prove_to_be_the_sender_is_none_and_gets_nothing():
    office = make_office()
    office.offer(TOPICS.policy("zone-A"), b"policy", retain=True)
    assert office.visit(beat(), None) is None  # as whoever heard the message may bring it
    assert not office.offer(ACK, b"1", retain=False)
    assert data(office) == []
    assert office.visit((), "lc_2") is None
    assert office.visit((), CHILD) == CHILD  # it is known by what somebody brought
    assert data(office) == [b"policy"]


def test_visit_is_known_by_the_first_message_that_is_verified():
    office = make_office()
    forged = Item(TOPICS.status(CHILD), status(1).decode().replace("heartbeat", "death"))
    assert office.visit([forged], CHILD) is None
    assert office.visit([forged, *beat()], CHILD) == CHILD


def test_visit_of_a_stranger_is_none():
    office = make_office()
    other_key = Codec(bytes(32), TOPICS, LIMIT)
    strange = other_key.seal(
        topic=ACK, sender_id=CHILD, message_type="ack",
        payload=CODEC.open(topic_of("ack"), sealed("ack")).payload, epoch=1, seq=1,
    )  # fmt: skip
    assert office.visit([Item(ACK, strange.decode())], CHILD) is None
    report = Item(topic_of("summary"), sealed("summary").decode())
    assert office.visit([report], CHILD) is None  # rc_1 is signed, and no child here


def test_message_of_an_epoch_that_is_over_makes_nobody_a_newcomer():
    office = make_office()
    office.offer(TOPICS.policy("zone-A"), b"policy", retain=True)
    office.visit(beat(epoch=5), CHILD)
    seen = office.collect(CHILD, "").seen
    office.visit(beat(epoch=4), CHILD)
    assert data(office, seen) == []


def test_offer_is_kept_only_for_those_present_who_subscribe():
    office = make_office()
    assert not office.offer(ACK, b"1", retain=False)
    office.visit(beat(), CHILD)
    assert office.offer(ACK, b"2", retain=False)
    assert not office.offer(TOPICS.ack("lc_2"), b"3", retain=False)
    assert data(office) == [b"2"]


def test_offer_to_who_stays_away_for_three_heartbeats_is_not_kept():
    clock = Clock()
    office = make_office(clock=clock)
    office.visit(beat(), CHILD)
    clock.now += 3.1
    assert not office.offer(ACK, b"1", retain=False)
    office.visit(beat(2), CHILD)
    assert data(office) == []


def test_retained_message_waits_for_newcomers_and_for_a_new_start_of_the_same():
    office = make_office()
    assert not office.offer(TOPICS.policy("zone-A"), b"old", retain=True)
    office.offer(TOPICS.policy("zone-A"), b"new", retain=True)
    office.visit(beat(), CHILD)
    seen = office.collect(CHILD, "").seen
    assert data(office) == [b"new"]
    office.visit(beat(2), CHILD)
    assert data(office, seen) == []
    office.visit(beat(epoch=2), CHILD)
    assert data(office, seen) == [b"new"]  # the cursor is of its former life


def test_collect_gives_at_most_a_batch_and_says_that_more_waits():
    office = make_office()
    office.visit(beat(), CHILD)
    for number in range(MAX_MESSAGES + 5):
        office.offer(ACK, b"%d" % number, retain=False)
    first = office.collect(CHILD, "")
    assert (len(first.items), first.more) == (MAX_MESSAGES, True)
    rest = office.collect(CHILD, first.seen)
    assert [item.data for item in rest.items] == ["200", "201", "202", "203", "204"]
    assert not rest.more


def test_offer_beyond_the_capacity_costs_the_oldest():
    office = make_office()
    office.visit(beat(), CHILD)
    for number in range(CAPACITY + 3):
        office.offer(ACK, b"%d" % number, retain=False)
    assert data(office)[0] == b"3"


def test_relay_hands_on_a_verified_policy_and_never_an_older_one():
    office = make_office()
    office.visit(beat(), CHILD)
    office.relay(TOPICS.policy(GLOBAL), policy(2))
    office.relay(TOPICS.policy(GLOBAL), policy(1))
    office.relay(TOPICS.policy(GLOBAL), policy(3).replace(b'"version":3', b'"version":9'))
    office.relay(TOPICS.policy("zone-A"), b"not asked for")
    (only,) = data(office)
    assert b'"version":2' in only


def test_watch_calls_when_mail_comes():
    office = make_office()
    office.visit(beat(), CHILD)
    calls = []
    office.watch(CHILD, lambda: calls.append("mail"))
    office.offer(ACK, b"1", retain=False)
    office.watch(CHILD, None)
    office.offer(ACK, b"2", retain=False)
    assert calls == ["mail"]
