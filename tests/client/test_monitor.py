from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.client.describe import describe
from pdsno_cli.client.monitor import Monitor, Visibility
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.transport import Arrival
from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.messages import Command, Event, Status
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.runtime.acl import publish_acl
from tests.messaging.samples import KEY, LIMIT, SAMPLES
from tests.runtime.test_acl import TOPOLOGY

ALL = Visibility(transport="mqtt", qos=True, retain=True)
TOPICS = TopicMap()
CODEC = Codec(KEY, TOPICS, LIMIT, publish_acl(TOPOLOGY))
EVENT = Event(event="mac_in_two_regions", severity="info", subject="x")
BEAT = Status(state="heartbeat", role="local", region="r1", connection=1, heartbeat=1.0)


def monitor(visibility: Visibility = ALL) -> Monitor:
    return Monitor(TOPOLOGY, CODEC.open, visibility)


def sealed(topic=None, payload=EVENT, *, sender="lc1", kind="event", epoch=1, seq=1) -> bytes:
    return CODEC.seal(
        topic=topic or TOPICS.events("r1"),
        sender_id=sender,
        message_type=kind,
        payload=payload,
        epoch=epoch,
        seq=seq,
    )


def event(seq: int, *, epoch: int = 1, sender: str = "lc1", **kwargs) -> Arrival:
    data = sealed(epoch=epoch, seq=seq, sender=sender)
    return Arrival(TOPICS.events("r1"), data, **{"qos": 1, **kwargs})


def marks(*arrivals: Arrival, visibility: Visibility = ALL) -> list[tuple[str, ...]]:
    looking = monitor(visibility)
    return [looking.observe(arrival).marks for arrival in arrivals]


def test_see_a_message_as_it_should_be():
    seen = monitor().observe(event(1))
    assert (seen.signature, seen.marks, seen.qos, seen.retain) == ("ok", (), 1, False)
    assert (seen.field("sender_id"), seen.field("seq")) == ("lc1", 1)
    assert seen.size == len(sealed())


@pytest.mark.parametrize(
    ("numbers", "last"),
    [
        ([(1, 1), (1, 2)], ()),
        ([(1, 7), (1, 8)], ()),
        ([(1, 1), (1, 4)], ("gap: 2 missing",)),
        ([(1, 2), (1, 2)], ("again",)),
        ([(1, 2), (1, 1)], ("again",)),
        ([(1, 9), (2, 1)], ()),
        ([(1, 9), (2, 3)], ("gap: 2 missing",)),
        ([(2, 1), (1, 9)], ("of an epoch that is over",)),
        ([(1, 4), (1, 2), (1, 5)], ()),
    ],
)
def test_see_finds_gaps_and_repetitions_from_the_first_message_on(numbers, last):
    found = marks(*(event(seq, epoch=epoch) for epoch, seq in numbers))
    assert found[0] == ()
    assert found[-1] == last


def test_see_counts_each_sender_of_a_topic_by_itself():
    assert marks(event(5), event(1, sender="rc1"), event(6), event(2, sender="rc1")) == [()] * 4


def test_see_operators_sessions_side_by_side():
    topic = TOPICS.command("lc1")
    found = [
        Arrival(
            topic,
            sealed(topic, Command(order="discover"), sender="operator", kind="command",
                   epoch=epoch, seq=seq),
            qos=1,
        )
        for epoch, seq in ((100, 1), (200, 1), (100, 2), (200, 3))
    ]  # fmt: skip
    assert marks(*found) == [(), (), (), ("gap: 1 missing",)]


def test_see_a_stored_copy_is_no_repetition():
    topic = TOPICS.status("lc1")
    live = Arrival(topic, sealed(topic, BEAT, kind="status", seq=4), qos=0)
    stored = msgspec.structs.replace(live, retained=True)
    assert marks(live, stored, visibility=Visibility(transport="mqtt", qos=True, retain=False)) == [
        (),
        (),
    ]


@pytest.mark.parametrize(
    ("visibility", "qos", "retained", "expected"),
    [
        (ALL, 1, False, ()),
        (ALL, 0, False, ("delivered at QoS 0, not 1",)),
        (ALL, 1, True, ("retained, which it must not be",)),
        (
            Visibility(transport="mqtt", qos=True, retain=False),
            1,
            True,
            ("retained, which it must not be",),
        ),
        (Visibility(transport="mqtt", qos=False, retain=False), 0, False, ()),
    ],
)
def test_see_holds_delivery_against_the_rule_as_far_as_it_can_be_known(
    visibility, qos, retained, expected
):
    looking = monitor(visibility)
    seen = looking.observe(event(1, qos=qos, retained=retained))
    assert seen.marks == expected
    assert seen.qos == (qos if visibility.qos else None)
    assert seen.retain == (retained if visibility.retain or retained else None)


def test_see_a_policy_that_is_not_retained():
    document, topic, _ = SAMPLES["policy"]
    topic = TOPICS.policy("r1")
    data = sealed(topic, document, sender="rc1", kind="policy")
    assert marks(Arrival(topic, data, qos=1)) == [("not retained",)]


def test_see_a_death_at_qos_1_and_a_will_outside_of_the_count():
    topic = TOPICS.status("lc1")
    death = msgspec.structs.replace(BEAT, state="death", reason="will")
    beats = [Arrival(topic, sealed(topic, BEAT, kind="status", seq=n), True, 0) for n in (1, 2)]
    will = Arrival(topic, sealed(topic, death, kind="status", seq=0), True, 1)
    assert marks(beats[0], will, beats[1]) == [(), (), ()]
    assert marks(msgspec.structs.replace(will, qos=0)) == [("delivered at QoS 0, not 1",)]


def test_see_a_topic_that_the_map_does_not_declare():
    data = sealed()
    for topic, mark in (
        ("pdsno/rumours/r1", "undeclared topic"),
        ("pdsno/policy", "undeclared topic"),
        ("pdsno/events/r9", "not of this file"),
    ):
        seen = monitor().observe(Arrival(topic, data, qos=1))
        assert seen.marks == (mark,)
        assert seen.signature == "altered"  # it was signed for another topic
    signed = CODEC.seal(topic="pdsno/rumours/r1", sender_id="lc1", message_type="event",
                        payload=EVENT, epoch=1, seq=1)  # fmt: skip
    seen = monitor().observe(Arrival("pdsno/rumours/r1", signed, qos=1))
    assert (seen.signature, seen.marks) == ("ok", ("undeclared topic",))


def test_see_a_sender_that_has_no_say_there():
    document, _, _ = SAMPLES["policy"]
    topic = TOPICS.policy("r1")
    seen = monitor().observe(Arrival(topic, sealed(topic, document, kind="policy"), True, 1))
    assert seen.signature == "ok"
    (mark,) = seen.marks
    assert "'lc1' may not publish on" in mark
    assert seen.field("sender_id") == "lc1"


@pytest.mark.parametrize(
    ("data", "signature"),
    [
        (b"", "unsigned"),
        (b"\xff\xfe", "unsigned"),
        (b"[" * 100_000, "unsigned"),
        (sealed().replace(b'"seq":1', b'"seq":2'), "altered"),
    ],
)
def test_see_what_is_not_signed(data, signature):
    seen = monitor().observe(Arrival(TOPICS.events("r1"), data, qos=1))
    assert seen.signature == signature
    assert seen.marks == ()
    assert seen.summary == ""


def test_see_a_message_that_is_too_large():
    (found,) = marks(Arrival(TOPICS.events("r1"), b" " * (LIMIT + 1), qos=1))
    assert found[0].startswith("oversized")


GISTS = {
    "discovery_report": "cycle 3 complete: 1 new, 0 updated, 1 inactive, 28 devices",
    "policy": "zone-A version 7 every 30s icmp,snmp targets of 1",
    "event": "controller_down lc_1 reason=will epoch=5 regions=['zone-A'] share=0.5",
    "status": "birth",
    "summary": "zone-A: 1 new, 0 updated, 1 inactive, 28 devices, snapshot",
    "ack": "discovery/zone-A/lc_1 up to 5/17",
    "command": "resend discovery/zone-A/lc_1 after 5/17",
}


@pytest.mark.parametrize("kind", GISTS)
def test_gist_of_every_kind_is_a_few_words(kind):
    assert describe(SAMPLES[kind][0]) == GISTS[kind]


def test_gist_of_an_order():
    assert describe(Command(order="discover")) == "discover"
    ordered = Command(order="policy", policy=SAMPLES["policy"][0])
    assert describe(ordered) == f"policy {GISTS['policy']}"


def test_describe_of_a_kind_without_words_of_its_own_shows_its_members():
    probe = ProbeResult(protocol="icmp", targets=2, answers=1, seconds=0.5)
    assert describe(probe) == "protocol=icmp targets=2 answers=1 seconds=0.5 error=None"


def test_a_qos_beyond_the_highest_visible_one_is_not_expected():
    topic = TOPICS.events("r1")
    low = Visibility(transport="mqtt", qos=True, retain=True, highest=0)
    data = event(1).data
    assert marks(Arrival(topic, data, qos=0), visibility=low) == [()]
