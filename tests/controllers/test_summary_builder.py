from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.controllers.summary_builder import SummaryBuilder
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import DiscoveryReport, LocalCycle, RegionDevice
from pdsno_cli.nib.store import Store


def device(number, name=None):
    return Device(
        device_id=f"ip:127.1.1.{number}",
        addresses=(f"127.1.1.{number}",),
        protocols=("icmp",),
        sys_name=name,
    )


def report(cycle, *, new=(), updated=(), inactive=(), snapshot=False, outcome="complete"):
    return DiscoveryReport(
        region="r1",
        cycle=cycle,
        snapshot=snapshot,
        outcome=outcome,
        started_at="2026-01-01T00:00:00.000Z",
        seconds=0.1,
        probes=(),
        new=tuple(new),
        updated=tuple(updated),
        inactive=tuple(inactive),
        active=len([*new, *updated]),
    )


def cycle(number, local_id="l1"):
    return LocalCycle(local_id=local_id, epoch=1, cycle=number, active=0)


class Region:
    """A store with a summary builder beside it, as the regional controller keeps them."""

    def __init__(self):
        self.store = Store.open(":memory:")
        self.summary = SummaryBuilder("r1")
        self.number = 0

    def take_in(self, *told, local_id="l1"):
        """Take in reports, each of lists by name, in one transaction."""
        with self.store.transaction() as tx:
            for lists in told:
                self.number += 1
                made = report(self.number, **lists)
                lost = tx.apply_changes(
                    local_id=local_id, region="r1", new=made.new, updated=made.updated,
                    inactive=made.inactive, snapshot=made.replaces, at=1.0,
                )  # fmt: skip
                tx.put_cycle(cycle(self.number, local_id), region="r1", at=1.0)
                self.summary.add(local_id, made, lost, tx)
            tx.on_commit(lambda: self.summary.merge(tx))

    def take(self):
        return self.summary.build(snapshot=False, active=self.store.count_active())


@pytest.fixture
def region():
    made = Region()
    yield made
    made.store.close()


def test_take_gives_the_newest_state_of_a_device_that_is_new_and_then_updated(region):
    region.take_in({"new": [device(1)]}, {"updated": [device(1, "a")]})
    summary = region.take()
    assert [item.device.sys_name for item in summary.new] == ["a"]
    assert summary.updated == ()
    assert [item.cycle for item in summary.locals] == [2]


@pytest.mark.parametrize("together", [True, False])
def test_take_leaves_out_a_device_that_came_and_went(region, together):
    told = {"new": [device(1)]}, {"inactive": ["ip:127.1.1.1"]}
    for some in [told] if together else [told[:1], told[1:]]:
        region.take_in(*some)
    summary = region.take()
    assert summary.new == ()
    assert [item.device_id for item in summary.inactive] == ["ip:127.1.1.1"]


def test_take_empties_the_digest(region):
    region.take_in({"new": [device(1)]})
    region.take()
    assert region.summary.empty


def test_take_names_the_locals_whose_snapshot_it_has(region):
    region.take_in({"new": [device(1)]}, {"snapshot": True, "updated": [device(2)]})
    region.take_in({"new": [device(3)]}, local_id="l2")
    summary = region.take()
    assert summary.whole == ("l1",)
    assert [item.device_id for item in summary.inactive] == ["ip:127.1.1.1"]
    region.take_in({"updated": [device(2)]})
    assert region.take().whole == ()


def test_snapshot_of_a_cycle_that_failed_in_a_new_store_replaces_nothing(region):
    region.take_in({"new": [device(1)]})
    region.take()
    region.take_in({"snapshot": True, "outcome": "failed"})
    summary = region.take()
    assert summary.whole == ()
    assert summary.inactive == ()
    assert region.store.count_active() == 1


def test_replace_keeps_what_is_new_as_new_and_holds_the_rest_as_updated(region):
    region.take_in({"new": [device(1)]})
    held = [RegionDevice(local_id="l1", device=device(n)) for n in (1, 2)]
    region.summary.replace([cycle(1)], held)
    summary = region.summary.build(snapshot=True, active=2)
    assert [item.device.device_id for item in summary.new] == ["ip:127.1.1.1"]
    assert [item.device.device_id for item in summary.updated] == ["ip:127.1.1.2"]


STEP = st.tuples(
    st.sampled_from(["l1", "l2"]),
    st.integers(1, 4),
    st.sampled_from(["new", "updated", "inactive"]),
    st.sampled_from([None, "a", "b"]),
)


@given(st.lists(st.one_of(st.lists(STEP, max_size=6), st.just("take")), max_size=12))
def test_summaries_reproduce_at_the_top_what_the_reports_made_of_the_region(steps):
    made = Region()
    region: dict = {}
    top: dict = {}

    def send():
        summary = made.take()
        for item in (*summary.new, *summary.updated):
            top[item.local_id, item.device.device_id] = item.device
        for gone in summary.inactive:
            top.pop((gone.local_id, gone.device_id), None)

    for step in steps:
        if step == "take":
            send()
            continue
        with made.store.transaction():  # all of them in one
            for local, which, kind, name in step:
                item = device(which, name)
                if kind == "inactive":
                    region.pop((local, item.device_id), None)
                    made.take_in({"inactive": [item.device_id]}, local_id=local)
                else:
                    region[local, item.device_id] = item
                    made.take_in({kind: [item]}, local_id=local)
    send()
    made.store.close()
    assert top == region
