from __future__ import annotations

import pytest

from pdsno_cli.client.policy_rollout import PolicyRollout
from pdsno_cli.model.messages import Event, PolicyDocument
from tests.client.test_discovery_request import envelope


def applied(sender: str, version: int, *, scope: str = "r1", answers: str | None = None):
    event = Event(
        event="policy_applied",
        severity="info",
        subject=sender,
        detail={"scope": scope, "version": version},
    )
    return envelope(event, sender=sender, answers=answers)


@pytest.fixture
def rollout() -> PolicyRollout:
    made = PolicyRollout("r1", ["rc1", "lc1"])
    made.order = "m1"
    return made


def test_hear_is_done_once_all_go_by_the_version_that_answers_the_order(rollout):
    rollout.update(applied("lc1", 8), 1.0)  # what it went by before
    rollout.update(envelope(PolicyDocument(scope="r1", version=9), sender="rc1"), 2.0)
    assert rollout.missing == ["rc1", "lc1"]
    rollout.update(applied("rc1", 9, answers="m1"), 3.0)
    rollout.update(applied("lc1", 9, scope="global"), 3.5)
    assert rollout.missing == ["lc1"]
    rollout.update(applied("lc1", 9), 4.0)
    assert rollout.done
    assert rollout.since == {"rc1": 3.0, "lc1": 4.0}


def test_hear_event_before_the_policy_counts(rollout):
    rollout.update(applied("lc1", 9), 1.0)
    rollout.update(applied("rc1", 9, answers="m1"), 2.0)
    assert rollout.done
    assert rollout.version == 9


def test_hear_later_version_counts_as_going_by_it(rollout):
    rollout.update(applied("rc1", 9, answers="m1"), 1.0)
    rollout.update(applied("lc1", 10), 2.0)
    assert rollout.done


def test_update_ignores_a_policy_without_correlation(rollout):
    document = PolicyDocument(scope="r1", version=9)
    rollout.update(envelope(document, sender="rc1", answers=None), 1.0)
    assert rollout.version is None


def test_hear_refusal_is_done_with_its_reason(rollout):
    event = Event(event="command_refused", severity="warning", subject="rc1", detail={"why": "no"})
    rollout.update(envelope(event, sender="rc1", answers="another"), 1.0)
    assert not rollout.done
    rollout.update(envelope(event, sender="rc1"), 1.0)
    assert rollout.done
    assert rollout.refused == "no"
