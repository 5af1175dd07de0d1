"""Which children are asked for their whole state, and when, by a clock of the test's own."""

from __future__ import annotations

import time

import pytest

from pdsno_cli.delivery import state_requests
from pdsno_cli.delivery.state_requests import AGAIN, PATIENCE, StateRequests
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Envelope, Event, Status
from pdsno_cli.nib.offsets import Offset

EPOCH = 1_700_000_000  # long before these tests
REPORTS = ("lc", "discovery/r/lc")


class World:
    """A controller on a real store, and what it asks for."""

    def __init__(self, host) -> None:
        self.host = host
        self.asked: list[tuple[str, str]] = []
        self.requests = StateRequests(host.endpoint, lambda *of: self.asked.append(of))

    def hear(self, payload=None, *, sender="lc", role="local", state="heartbeat", epoch=EPOCH):
        status = Status(state=state, role=role, region="r", connection=1, heartbeat=1.0)
        self.requests.heard(
            Envelope(
                message_id="m", message_type="status", schema_version="1.0", sender_id=sender,
                recipient_id="broadcast", timestamp="t", stream=f"status/{sender}", epoch=epoch,
                seq=1, payload=payload or status,
            )
        )  # fmt: skip

    def commit(self, sender: str, stream: str) -> None:
        with self.host.store.transaction() as tx:
            tx.advance(sender=sender, stream=stream, to=Offset(EPOCH, 1))


@pytest.fixture
def make(host, monkeypatch):
    def world(name: str) -> World:
        made = World(host(name))
        monkeypatch.setattr(state_requests.time, "monotonic", made.host.wire.monotonic)
        return made

    return world


def test_a_child_of_which_nothing_is_committed_is_asked_and_again_after_a_minute(make):
    regional = make("rc")
    for _ in range(3):
        regional.hear()
    regional.host.wire.wait(PATIENCE)
    assert regional.asked == [REPORTS]
    regional.hear()
    regional.host.wire.wait(AGAIN)
    assert regional.asked == [REPORTS]
    regional.hear()
    regional.host.wire.wait(PATIENCE)
    assert regional.asked == [REPORTS] * 2


def test_the_top_asks_regions(make):
    top = make("gc")
    top.hear(sender="rc", role="regional")
    top.hear()  # a local controller reports to its region alone
    top.host.wire.wait(PATIENCE)
    assert top.asked == [("rc", "summary/r/rc")]


def test_a_child_that_started_later_has_a_minute_to_report(make):
    regional = make("rc")
    regional.hear(state="birth", epoch=epoch_at(time.time() + 5))
    regional.host.wire.wait(AGAIN - 1)
    assert regional.asked == []
    regional.host.wire.wait(1)
    assert regional.asked == [REPORTS]


def test_a_child_that_reports_in_time_is_not_asked(make):
    regional = make("rc")
    regional.hear(state="birth")
    regional.commit(*REPORTS)
    for _ in range(2):
        regional.host.wire.wait(AGAIN)
        regional.hear()
    assert regional.asked == []


def test_who_is_dead_or_removed_and_what_is_no_status_is_not_asked_for(make):
    regional = make("rc")
    regional.hear(state="death")
    regional.hear(Event(event="e", severity="info", subject="s", detail={}))
    regional.hear(sender="gc", role="global")
    live = regional.host.endpoint.live
    live.replace(live.topology, ["gone"])
    regional.hear(sender="gone")
    regional.host.wire.wait(AGAIN)
    assert regional.asked == []
