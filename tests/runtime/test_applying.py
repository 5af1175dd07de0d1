from __future__ import annotations

import pytest

from pdsno_cli.model.messages import Event, PolicyDocument
from pdsno_cli.runtime.applying import Applying
from tests.runtime.test_discovering import envelope


def applied(sender: str, version: int, *, scope: str = "r1", answers: str | None = None):
    event = Event(
        event="policy_applied",
        severity="info",
        subject=sender,
        detail={"scope": scope, "version": version},
    )
    return envelope(event, sender=sender, answers=answers)


@pytest.fixture
def applying() -> Applying:
    made = Applying("r1", ["rc1", "lc1"])
    made.order = "m1"
    return made


def test_hear_is_done_once_all_go_by_the_version_that_answers_the_order(applying):
    applying.hear(applied("lc1", 8), 1.0)  # what it went by before
    applying.hear(envelope(PolicyDocument(scope="r1", version=9), sender="rc1"), 2.0)
    assert applying.missing == ["rc1", "lc1"]
    applying.hear(applied("rc1", 9, answers="m1"), 3.0)
    applying.hear(applied("lc1", 9, scope="global"), 3.5)
    assert applying.missing == ["lc1"]
    applying.hear(applied("lc1", 9), 4.0)
    assert applying.done
    assert applying.since == {"rc1": 3.0, "lc1": 4.0}


def test_hear_event_before_the_policy_counts(applying):
    applying.hear(applied("lc1", 9), 1.0)
    applying.hear(applied("rc1", 9, answers="m1"), 2.0)
    assert applying.done
    assert applying.version == 9


def test_hear_later_version_counts_as_going_by_it(applying):
    applying.hear(applied("rc1", 9, answers="m1"), 1.0)
    applying.hear(applied("lc1", 10), 2.0)
    assert applying.done


def test_hear_policy_that_answers_nobody_is_not_ours(applying):
    document = PolicyDocument(scope="r1", version=9)
    applying.hear(envelope(document, sender="rc1", answers=None), 1.0)
    assert applying.version is None


def test_hear_refusal_is_done_with_its_reason(applying):
    event = Event(event="command_refused", severity="warning", subject="rc1", detail={"why": "no"})
    applying.hear(envelope(event, sender="rc1", answers="another"), 1.0)
    assert not applying.done
    applying.hear(envelope(event, sender="rc1"), 1.0)
    assert applying.done
    assert applying.refused == "no"
