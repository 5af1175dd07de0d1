from __future__ import annotations

import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers import liveness_monitor
from pdsno_cli.controllers.liveness_monitor import LivenessMonitor
from pdsno_cli.model.epochs import epoch_at
from pdsno_cli.model.messages import Envelope, Status
from pdsno_cli.model.notices import PeerNotice
from pdsno_cli.model.refusals import Reason, RefusedError
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import TopicMap
from pdsno_cli.nib.store import Store
from tests.controllers.clock import Clock

BEAT = 5.0


class World(Clock):
    """A liveness monitor on a real store, with a clock and a scheduler of the test's own."""

    def __init__(self, store, monkeypatch) -> None:
        super().__init__()
        monkeypatch.setattr(liveness_monitor.time, "monotonic", self.monotonic)
        self.fallen_back = False
        self.events: list[tuple[str, str]] = []
        self.gone: list[str] = []
        self.cleared: list[str] = []
        self.subscribed: list[str] = []
        self.store = store
        self.shown: list[PeerNotice] = []
        self.live = SimpleNamespace(is_removed=lambda *_: False)
        self.monitor = LivenessMonitor(
            SimpleNamespace(
                store=store,
                publisher=self,
                scheduler=self,
                fallen_back=lambda: self.fallen_back,
                subscribe=self.subscribed.append,
                live=self.live,
                topology=SimpleNamespace(
                    topics=TopicMap(),
                    controllers=dict.fromkeys(("lc1", "lc2"), SimpleNamespace(heartbeat=BEAT)),
                ),
                spec=SimpleNamespace(controller_id="rc1", region="r1"),
                watcher=SimpleNamespace(notice=self.shown.append),
            ),
            Role.LOCAL,
            lambda _, name: self.gone.append(name),
        )
        self.monitor.start(())

    def clear(self, topic: str) -> None:
        self.cleared.append(topic)

    @contextmanager
    def unit(self):
        with self.store.transaction() as tx:
            yield SimpleNamespace(
                tx=tx, stage=lambda _, event: self.events.append((event.event, event.subject))
            )

    def status(self, sender, seq: int, connection=1, epoch=1, heartbeat=BEAT) -> None:
        payload = Status(
            state="heartbeat", role="local", region="r1", connection=connection, heartbeat=heartbeat
        )
        self.monitor.update(
            Envelope(
                message_id="m", message_type="status", schema_version="1.0", sender_id=sender, recipient_id="broadcast",
                timestamp="t", stream=f"status/{sender}", epoch=epoch, seq=seq, payload=payload,
            ),
            payload,
        )  # fmt: skip


@pytest.fixture
def world(tmp_path, monkeypatch):
    with closing(Store.open(tmp_path / "rc1.db")) as store:
        yield World(store, monkeypatch)


def test_silence_of_three_heartbeats_is_announced(world):
    world.monitor.connected()
    world.status("lc1", 1)
    world.wait(3 * BEAT - 1)
    assert world.events == []
    world.wait(2)
    assert world.events == [("controller_down", "lc1")]


def test_over_a_fallback_only_those_are_judged_who_came_over_it(world):
    world.monitor.connected()
    world.status("lc1", 1)
    world.status("lc2", 1)
    world.monitor.disconnected()
    world.fallen_back = True
    world.monitor.connected()
    world.status("lc2", 2, connection=2)
    world.wait(10 * BEAT)
    assert world.events == [("controller_down", "lc2")]


def test_all_are_judged_again_once_the_best_transport_is_back(world):
    world.monitor.connected()
    world.status("lc1", 1)
    world.fallen_back = True
    world.monitor.connected()
    world.wait(10 * BEAT)
    assert world.events == []
    world.fallen_back = False
    world.monitor.connected()
    world.wait(2 * BEAT)
    assert world.events == []
    world.wait(2 * BEAT)
    assert world.events == [("controller_down", "lc1")]


def test_old_message_does_not_count_as_coming_over_the_fallback(world):
    world.monitor.connected()
    world.status("lc1", 5)
    world.fallen_back = True
    world.monitor.connected()
    world.status("lc1", 5)
    world.wait(10 * BEAT)
    assert world.events == []


def test_a_heartbeat_replayed_after_a_restart_holds_nobody_online(world, monkeypatch):
    world.monitor.connected()
    world.status("lc1", 1)
    world.status("lc1", 2)
    world.wait(liveness_monitor.WRITE_DELAY)
    restarted = World(world.store, monkeypatch)
    restarted.monitor.connected()
    for _ in range(10):
        restarted.wait(2)
        restarted.status("lc1", 2)
    assert restarted.events == [("controller_down", "lc1")]


def test_a_status_from_the_future_is_refused_and_a_present_one_counts(world):
    world.monitor.connected()
    with pytest.raises(RefusedError) as refused:
        world.status("lc1", 1, epoch=epoch_at(time.time() + 10 * 86_400))
    assert refused.value.reason is Reason.UNTIMELY
    world.status("lc1", 1)
    world.wait(3 * BEAT + 1)
    assert world.events == [("controller_down", "lc1")]


def test_who_is_not_of_the_file_is_watched_once_it_reports(world):
    world.monitor.connected()
    for _ in range(2):
        world.monitor.watch("new")
    world.monitor.watch("lc1")
    assert world.subscribed == ["pdsno/status/new"]
    world.status("new", 1)
    world.wait(3 * BEAT + 1)
    assert world.events == [("controller_down", "new")]
    assert world.gone == []


def test_who_is_not_of_the_file_is_forgotten_when_it_is_not_there_after_a_restart(
    world, monkeypatch
):
    world.monitor.connected()
    for name in ("new", "off", "stays"):
        world.monitor.watch(name)
        world.status(name, 1)
    with world.store.transaction() as tx:
        tx.set_controller_state("off", "offline")
    restarted = World(world.store, monkeypatch)
    assert restarted.gone == ["off"]
    restarted.monitor.connected()
    assert restarted.cleared == ["pdsno/status/off"]
    assert restarted.subscribed == ["pdsno/status/new", "pdsno/status/stays"]
    for seq in range(2, 8):
        restarted.wait(BEAT - 1)
        restarted.status("stays", seq)
    assert restarted.gone == ["off", "new"]
    assert restarted.cleared[1:] == ["pdsno/status/new"]
    assert restarted.events == []
    assert [c.controller_id for c in restarted.store.controllers()] == ["stays"]


def test_a_slow_child_that_is_recalled_has_three_of_its_own_heartbeats(world, monkeypatch):
    world.monitor.connected()
    world.monitor.watch("slow")
    world.status("slow", 1, heartbeat=4 * BEAT)
    world.wait(liveness_monitor.WRITE_DELAY)
    restarted = World(world.store, monkeypatch)
    restarted.monitor.connected()
    restarted.status("slow", 1, heartbeat=4 * BEAT)  # as the broker has kept it
    restarted.wait(11 * BEAT)
    assert restarted.gone == []
    restarted.wait(2 * BEAT)
    assert restarted.gone == ["slow"]


def test_a_removed_child_is_forgotten_and_what_comes_late_of_it_is_deleted(world):
    world.monitor.connected()
    world.status("lc1", 1)
    world.live.is_removed = lambda sender, epoch: sender == "lc1" and epoch <= 1
    world.monitor.reconfigured((), ["lc1"], ())
    assert world.gone == ["lc1"]
    assert world.cleared == ["pdsno/status/lc1"]
    assert [known.controller_id for known in world.store.controllers()] == []
    world.status("lc1", 2)  # such as its will
    assert world.cleared == ["pdsno/status/lc1"] * 2
    assert [known.controller_id for known in world.store.controllers()] == []
    world.wait(10 * BEAT)
    assert world.events == []
    world.status("lc1", 1, epoch=2)  # a later start, such as of another file
    assert [known.controller_id for known in world.store.controllers()] == ["lc1"]


def test_a_child_that_has_another_parent_keeps_its_retained_status_and_is_not_watched(world):
    world.monitor.connected()
    world.status("lc1", 1)
    world.monitor.reconfigured((), (), ["lc1"])
    assert world.gone == ["lc1"]
    assert world.cleared == []
    world.status("lc1", 1, epoch=2)
    assert [known.controller_id for known in world.store.controllers()] == []
    world.monitor.reconfigured(["lc1"], (), ())
    assert world.subscribed == ["pdsno/status/lc1"]
    world.status("lc1", 2, epoch=2)
    assert [known.controller_id for known in world.store.controllers()] == ["lc1"]
