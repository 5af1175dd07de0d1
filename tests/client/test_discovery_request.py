from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.client.discovery_request import DiscoveryRequests
from pdsno_cli.model.messages import Ack, Envelope, Event, Status
from tests.messaging.samples import DEVICE, SAMPLES
from tests.runtime.test_acl import TOPOLOGY

REPORT = msgspec.structs.replace(SAMPLES["discovery_report"][0], region="r1")
STREAM = "discovery/r1/lc1"


def envelope(payload, *, sender="lc1", stream=STREAM, seq=1, answers="m1") -> Envelope:
    return Envelope(
        message_id="x",
        message_type="any",
        schema_version="1.0",
        sender_id=sender,
        recipient_id="broadcast",
        timestamp="2026-01-02T03:04:05.678Z",
        stream=stream,
        epoch=5,
        seq=seq,
        payload=payload,
        correlation_id=answers,
    )


def ack(seq: int, *, sender="rc1", epoch=5) -> Envelope:
    payload = Ack(stream=STREAM, epoch=epoch, seq=seq)
    return envelope(payload, sender=sender, stream="ack/lc1", answers=None)


@pytest.fixture
def requests() -> DiscoveryRequests:
    made = DiscoveryRequests(TOPOLOGY, [TOPOLOGY.controllers["lc1"]])
    made.ordered("lc1", "m1", 10.0)
    return made


def test_hear_report_then_ack_is_committed(requests):
    requests.update(envelope(REPORT, seq=4), 11.0)
    assert not requests.done
    requests.update(ack(4), 12.5)
    assert requests.done
    outcome = requests.outcomes["lc1"]
    assert (outcome.new, outcome.inactive, outcome.active, outcome.seconds) == (1, 1, 28, 2.5)


def test_hear_ack_before_the_report_is_committed_all_the_same(requests):
    requests.update(ack(5), 11.0)
    requests.update(envelope(REPORT, seq=4), 12.0)
    assert requests.outcomes["lc1"].seconds == 2.0


@pytest.mark.parametrize("other", [ack(3), ack(4, sender="rc2"), ack(9, epoch=4)])
def test_hear_ack_of_something_else_commits_nothing(requests, other):
    requests.update(envelope(REPORT, seq=4), 11.0)
    requests.update(other, 12.0)
    assert not requests.done


def test_hear_report_in_parts_counts_each_once_and_waits_for_the_last(requests):
    first = msgspec.structs.replace(REPORT, more=True)
    last = msgspec.structs.replace(REPORT, new=(), updated=(DEVICE, DEVICE), inactive=())
    for _ in range(2):
        requests.update(envelope(first, seq=4), 11.0)
    requests.update(ack(4), 11.0)
    assert not requests.done
    requests.update(envelope(last, seq=5), 12.0)
    requests.update(ack(5), 13.0)
    outcome = requests.outcomes["lc1"]
    assert (outcome.new, outcome.updated, outcome.inactive) == (1, 2, 1)
    assert requests.done


def test_update_ignores_a_report_without_correlation(requests):
    requests.update(envelope(REPORT, answers=None), 11.0)
    requests.update(envelope(REPORT, answers="another"), 11.0)
    requests.update(ack(1), 12.0)
    assert requests.outcomes["lc1"].cycle is None


def test_update_with_a_refusal_is_done_with_its_reason(requests):
    event = Event(
        event="command_refused", severity="warning", subject="lc1", detail={"why": "too late"}
    )
    requests.update(envelope(event, sender="lc2", stream="events/r1"), 11.0)
    assert not requests.done
    requests.update(envelope(event, stream="events/r1"), 11.0)
    assert requests.done
    assert requests.outcomes["lc1"].refused == "too late"


def status(state, reason=None) -> Envelope:
    payload = Status(
        state=state, role="local", region="r1", connection=1, heartbeat=5.0, reason=reason
    )
    return envelope(payload, stream="status/lc1", answers=None)


@pytest.fixture
def unordered() -> DiscoveryRequests:
    return DiscoveryRequests(TOPOLOGY, [TOPOLOGY.controllers["lc1"]])


def test_a_controller_is_ordered_once_it_is_online(unordered):
    assert unordered.due() == []
    unordered.update(status("death", "will"), 1.0)
    assert unordered.due() == []
    unordered.update(status("birth"), 2.0)
    assert unordered.due() == ["lc1"]
    unordered.ordered("lc1", "m1", 2.0)
    assert unordered.due() == []


@pytest.mark.parametrize(
    ("told", "absent"),
    [(None, "no status of it was received"), (status("death", "stop"), "it was stopped")],
)
def test_a_controller_that_does_not_run_is_given_up(unordered, told, absent):
    if told is not None:
        unordered.update(told, 1.0)
    assert unordered.give_up_absent() == []
    assert unordered.done
    assert unordered.outcomes["lc1"].absent == absent


def test_a_controller_that_is_down_is_waited_for(unordered):
    unordered.update(status("death", "will"), 1.0)
    assert unordered.give_up_absent() == ["lc1 is down: waiting for it"]
    assert not unordered.done


def test_a_controller_with_an_order_is_not_given_up(requests):
    assert requests.give_up_absent() == []
    assert not requests.done
