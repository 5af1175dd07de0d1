"""A local controller that moved: what its old region still says of it."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest

from pdsno_cli.controllers.global_ import GlobalController
from pdsno_cli.controllers.homes import Home, moved, timely
from pdsno_cli.lint.engine import require
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import Envelope, LocalCycle, RegionDevice, RegionLoss, Summary
from pdsno_cli.nib.store import Store
from tests.controllers.clock import Clock

FILE = """\
name: two
regions: {A: {}, B: {}}
controllers:
  g: {role: global}
  a: {role: regional, region: A}
  b: {role: regional, region: B}
  lc: {role: local, region: A, discovery: {targets: [127.66.0.1]}}
  other: {role: local, region: B, discovery: {targets: [127.66.0.2]}}
"""
HOMES = {"lc": Home("A", 7)}


def device(name: str) -> Device:
    return Device(device_id=name, addresses=("10.0.0.1",), protocols=("icmp",))


def summary(region: str, epoch: int | None, *names: str, local="lc", inactive=(), snapshot=False):
    cycle = [] if epoch is None else [LocalCycle(local_id=local, epoch=epoch, cycle=1, active=1)]
    return Summary(
        region=region,
        snapshot=snapshot,
        locals=tuple(cycle),
        new=tuple(RegionDevice(local_id=local, device=device(name)) for name in names),
        updated=(),
        inactive=tuple(RegionLoss(local_id=local, device_id=name) for name in inactive),
        active=1,
        whole=(local,),
    )


@pytest.mark.parametrize(
    ("region", "epoch", "comes", "stays"),
    [
        ("A", 7, False, True),
        ("A", 8, False, True),
        ("B", 8, True, True),
        ("B", 7, False, False),
        ("B", 6, False, False),
        ("B", None, False, False),
    ],
)
def test_newest_epoch_says_where_a_local_controller_is(region, epoch, comes, stays):
    told = summary(region, epoch, "x", inactive=["y"])
    coming = moved(HOMES, told)
    assert bool(coming) == comes
    left = timely(HOMES, told, coming)
    assert (left is told) == stays
    if not stays:
        assert (left.locals, left.new, left.inactive, left.whole) == ((), (), (), ())


def test_unknown_local_controller_is_where_it_is_told_of():
    told = summary("B", 1, "x", local="new")
    assert moved(HOMES, told) == []
    assert timely(HOMES, told, []) is told


class World(Clock):
    def __init__(self, store, file) -> None:
        super().__init__()
        self.store = store
        self._seq = {"a": 0, "b": 0}
        self.top = GlobalController(
            SimpleNamespace(
                spec=require(str(file)).controllers["g"],
                topology=require(str(file)),
                store=store,
                publisher=self,
                scheduler=self,
                watcher=SimpleNamespace(notice=lambda _: None),
            )
        )
        self.top.start()

    def publish(self, *_, **__) -> None: ...

    def hear(self, sender: str, payload: Summary) -> None:
        self._seq[sender] += 1
        with self.store.transaction() as tx:
            self.top.apply(
                tx,
                Envelope(
                    message_id="m", message_type="summary", schema_version="1.0", sender_id=sender,
                    recipient_id="broadcast", timestamp="t", epoch=1, seq=self._seq[sender],
                    stream=f"summary/{payload.region}/{sender}", payload=payload,
                ),
            )  # fmt: skip

    @property
    def present(self) -> set[tuple[str, str]]:
        return {
            (record.region, record.device.device_id)
            for record in self.store.device_records()
            if record.active
        }


@pytest.fixture
def open_world(tmp_path):
    (tmp_path / "t.yaml").write_text(FILE)
    with closing(Store.open(tmp_path / "g.db")) as store:
        yield lambda: World(store, tmp_path / "t.yaml")


def test_top_believes_the_new_region_whatever_the_old_one_says_late(open_world):
    world = open_world()
    world.hear("b", summary("B", 5, "x", "y", snapshot=True))
    world.hear("a", summary("A", 6, "x", snapshot=True))
    assert world.present == {("A", "x")}
    world.hear("b", summary("B", 5, "x", "y", "z"))
    world.hear("b", summary("B", None, inactive=["x"]))
    assert world.present == {("A", "x")}
    world.hear("b", summary("B", 5, "y", snapshot=True))
    assert world.present == {("A", "x")}
    world.hear("b", summary("B", 7, "y", snapshot=True))
    assert world.present == {("B", "y")}


def test_top_lets_go_at_its_start_of_what_is_declared_in_another_region(open_world):
    world = open_world()
    world.hear("b", summary("B", 5, "x", "y", snapshot=True))
    assert len(world.present) == 2
    world = open_world()
    assert world.present == set()
    world.hear("a", summary("A", 6, "x", snapshot=True))
    assert world.present == {("A", "x")}
