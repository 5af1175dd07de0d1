"""A regional controller on a real store, with a clock and a publisher of the test's own."""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import count
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers import regional
from pdsno_cli.controllers.regional import SUMMARY_DELAY, SUMMARY_SHARE, RegionalController
from pdsno_cli.lint.engine import require
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import DiscoveryReport, Envelope
from pdsno_cli.nib.store import Store
from tests.conftest import ONE_OF_EACH
from tests.controllers.clock import Clock

COST = 0.05  # seconds of processor time that sending a summary takes
PAUSE = SUMMARY_SHARE * COST


class World(Clock):
    """Keeps when summaries were sent, and of which devices."""

    def __init__(self, store, file) -> None:
        super().__init__()
        self.store = store
        self.summaries: list[tuple[float, list[str]]] = []
        topology = require(str(file))
        self.regional = RegionalController(
            SimpleNamespace(
                spec=topology.controllers["rc"],
                topology=topology,
                store=store,
                publisher=self,
                scheduler=self,
                watcher=SimpleNamespace(notice=lambda _: None),
            )
        )
        self.regional.start()
        self._seq = 0

    def publish(self, topic, payload) -> None: ...

    def full(self, topic) -> bool:
        return self.store.backlog(topic).messages > 0  # asks the store, as the real one does

    @contextmanager
    def unit(self):
        with self.store.transaction():
            yield SimpleNamespace(stage=self._stage)

    def _stage(self, _, summary) -> None:
        present = (*summary.new, *summary.updated)
        self.summaries.append((self.now, [item.device.device_id for item in present]))

    def report(self, name: str, *, behind: bool = False) -> None:
        """Take in a report of one device, which is committed later where it is ``behind``."""
        self._seq += 1
        device = Device(device_id=name, addresses=("10.0.0.1",), protocols=("icmp",))
        report = DiscoveryReport(
            region="r", cycle=self._seq, snapshot=self._seq == 1, outcome="complete",
            started_at="2026-01-01T00:00:00.000Z", seconds=0.0, probes=(), new=(device,),
            updated=(), inactive=(), active=1,
        )  # fmt: skip
        with self.store.transaction(pipelined=True) as tx:
            self.regional.apply(
                tx,
                Envelope(
                    message_id="m", message_type="discovery_report", schema_version="1.0",
                    sender_id="lc", recipient_id="broadcast", timestamp="t",
                    stream="discovery/r/lc", epoch=1, seq=self._seq, payload=report,
                ),
            )  # fmt: skip
            if behind:
                tx.commit_async()


@pytest.fixture
def world(tmp_path, monkeypatch):
    (tmp_path / "t.yaml").write_text(ONE_OF_EACH)
    taken = count()
    monkeypatch.setattr(regional.time, "thread_time", lambda: next(taken) * COST)
    with closing(Store.open(tmp_path / "rc.db")) as store:
        yield World(store, tmp_path / "t.yaml")


def test_reports_of_a_moment_become_one_summary(world):
    begun = world.now
    world.report("a")
    world.report("b")
    world.wait(SUMMARY_DELAY)
    assert world.summaries == [(begun + SUMMARY_DELAY, ["a", "b"])]


def test_the_dearer_a_summary_is_the_longer_the_next_one_gathers(world):
    world.report("a")
    world.wait(SUMMARY_DELAY)
    sent = world.now
    world.report("b")
    world.wait(PAUSE / 2)
    world.report("c")
    world.wait(PAUSE)
    assert world.summaries[1:] == [(sent + PAUSE, ["b", "c"])]


def test_what_is_committed_while_a_summary_is_sent_gathers_as_long(world):
    world.report("a")
    world.wait(SUMMARY_DELAY * 0.9)
    world.report("b", behind=True)
    world.wait(SUMMARY_DELAY * 0.1)  # the summary waits for that commit
    sent = world.now
    assert world.summaries == [(sent, ["a", "b"])]
    world.report("c")
    world.wait(PAUSE / 2)
    assert len(world.summaries) == 1
    world.wait(PAUSE)
    assert world.summaries[1:] == [(sent + PAUSE, ["c"])]
