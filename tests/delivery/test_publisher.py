"""What is numbered, staged, coalesced and sent, on a real store."""

from __future__ import annotations

import pytest

from pdsno_cli.model.messages import Command, Event, PolicyDocument, Summary
from pdsno_cli.nib.offsets import START

TOPIC = "pdsno/events/r"
STREAM = "events/r"
SUMMARY = Summary(region="r", snapshot=True, locals=(), new=(), updated=(), inactive=(), active=0)


def event(name="e", **detail) -> Event:
    return Event(event=name, severity="info", subject="s", detail=detail)


@pytest.fixture
def rc(host):
    made = host("rc")
    made.publisher.sender.connected()
    return made


def test_a_unit_sends_its_messages_after_the_commit_and_numbers_them_from_one(rc):
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event("a"))
        unit.stage(TOPIC, event("b"))
        assert rc.wire.published == []
    assert [(one.seq, one.payload.event) for one in rc.opened(TOPIC)] == [(1, "a"), (2, "b")]
    rc.wire.wait(1.0)
    assert rc.wire.backlogs[-1] == 2


def test_a_unit_that_fails_stages_nothing_and_uses_up_no_number(rc):
    def fail() -> None:
        with rc.publisher.unit() as unit:
            unit.stage(TOPIC, event("a"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event("b"))
    assert [(one.seq, one.payload.event) for one in rc.opened(TOPIC)] == [(1, "b")]


def test_publish_is_best_effort_and_returns_whether_a_transport_accepted(rc):
    topic = rc.topology.topics.policy("r")
    document = PolicyDocument(scope="r", version=1)
    assert rc.publisher.publish(topic, document, answers="m1")
    rc.wire.up = False
    assert not rc.publisher.publish(topic, document)
    (message,) = rc.opened(topic)
    assert (message.correlation_id, rc.store.outbox_count()) == ("m1", 0)
    assert rc.wire.published[0][2:] == (1, True)


@pytest.mark.parametrize("limit", ["own", "broker"])
def test_a_message_over_the_size_limit_is_dropped_and_the_stream_goes_on(rc, limit):
    if limit == "broker":
        rc.wire.refuses = ValueError("too large")
    assert not rc.publisher.publish(TOPIC, event(text="x" * 200_000))
    rc.wire.refuses = None
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event(text="x" * 200_000))
        unit.stage(TOPIC, event("after"))
    assert rc.opened(TOPIC)[-1].payload.event == "after"
    assert rc.store.outbox_count() == 1


def test_clear_deletes_a_retained_message(rc):
    rc.publisher.clear("pdsno/status/lc")
    assert rc.wire.published == [("pdsno/status/lc", b"", 1, True)]


def test_has_published_is_remembered_by_the_store_also_once_acknowledged(rc):
    assert not rc.publisher.has_published(TOPIC)
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event())
    assert rc.publisher.has_published(TOPIC)
    rc.publisher.sender.acknowledged(STREAM, rc.store.outbox(STREAM, START, 1)[0].offset)
    rc.publisher.sender.flush_acknowledged()
    assert rc.store.outbox_count() == 0
    assert rc.publisher.has_published(TOPIC)


def test_an_answer_is_committed_with_its_message(rc):
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event(), answers="order-1")
    assert rc.store.answered("order-1")
    assert rc.opened(TOPIC)[0].correlation_id == "order-1"


def test_coalesce_replaces_the_queue_and_an_event_reports_it(rc):
    summary = rc.topology.topics.summary("r", "rc")
    rc.wire.up = False
    for _ in range(3):
        with rc.publisher.unit() as unit:
            unit.stage(summary, SUMMARY)
    rc.wire.up = True
    with rc.publisher.unit() as unit:
        unit.coalesce(summary)
        unit.stage(summary, SUMMARY)
    assert [one.seq for one in rc.opened(summary)] == [4]
    (report,) = rc.opened(TOPIC)
    assert report.payload.event == "outbox_coalesced"
    assert report.payload.detail == {"stream": "summary/r/rc", "messages": 3, "events": 0}


def test_events_are_coalesced_too_where_their_outbox_is_full(rc, monkeypatch):
    monkeypatch.setattr(type(rc.publisher), "full", lambda *_: True)
    with rc.publisher.unit() as unit:
        unit.stage(TOPIC, event("one"))
    names = [one.payload.event for one in rc.opened(TOPIC)]
    assert names == ["outbox_coalesced", "one"]


def test_seal_refuses_a_topic_outside_the_topology(rc):
    with pytest.raises(ValueError, match="not a topic of this topology"):
        rc.publisher.seal("elsewhere/x", Command(order="discover"))
