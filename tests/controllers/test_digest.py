from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.controllers.digest import Digest
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import DiscoveryReport, LocalCycle, RegionDevice


def device(number, name=None):
    return Device(
        device_id=f"ip:127.1.1.{number}",
        addresses=(f"127.1.1.{number}",),
        protocols=("icmp",),
        sys_name=name,
    )


def report(cycle, *, new=(), updated=(), inactive=()):
    return DiscoveryReport(
        region="r1",
        cycle=cycle,
        snapshot=False,
        outcome="complete",
        started_at="2026-01-01T00:00:00.000Z",
        seconds=0.1,
        probes=(),
        new=tuple(new),
        updated=tuple(updated),
        inactive=tuple(inactive),
        active=0,
    )


def cycle(number, local_id="l1"):
    return LocalCycle(local_id=local_id, epoch=1, cycle=number, active=0)


def test_take_gives_the_newest_state_of_a_device_that_is_new_and_then_updated():
    digest = Digest("r1")
    digest.add(cycle(1), report(1, new=[device(1)]), [])
    digest.add(cycle(2), report(2, updated=[device(1, "a")]), [])
    summary = digest.take(snapshot=False, active=1)
    assert [item.device.sys_name for item in summary.new] == ["a"]
    assert summary.updated == ()
    assert [item.cycle for item in summary.locals] == [2]


def test_take_leaves_out_a_device_that_came_and_went():
    digest = Digest("r1")
    digest.add(cycle(1), report(1, new=[device(1)]), [])
    digest.add(cycle(2), report(2, inactive=["ip:127.1.1.1"]), ["ip:127.1.1.1"])
    summary = digest.take(snapshot=False, active=0)
    assert summary.new == ()
    assert [item.device_id for item in summary.inactive] == ["ip:127.1.1.1"]


def test_take_empties_the_digest():
    digest = Digest("r1")
    digest.add(cycle(1), report(1, new=[device(1)]), [])
    digest.take(snapshot=False, active=1)
    assert digest.empty


def test_replace_keeps_what_is_new_as_new_and_holds_the_rest_as_updated():
    digest = Digest("r1")
    digest.add(cycle(1), report(1, new=[device(1)]), [])
    held = [RegionDevice(local_id="l1", device=device(n)) for n in (1, 2)]
    digest.replace([cycle(1)], held)
    summary = digest.take(snapshot=True, active=2)
    assert [item.device.device_id for item in summary.new] == ["ip:127.1.1.1"]
    assert [item.device.device_id for item in summary.updated] == ["ip:127.1.1.2"]


STEP = st.tuples(
    st.sampled_from(["l1", "l2"]),
    st.integers(1, 4),
    st.sampled_from(["new", "updated", "inactive"]),
    st.sampled_from([None, "a", "b"]),
)


@given(st.lists(st.one_of(STEP, st.just("take")), max_size=30))
def test_summaries_reproduce_at_the_top_what_the_reports_made_of_the_region(steps):
    digest = Digest("r1")
    region: dict = {}
    top: dict = {}

    def send():
        summary = digest.take(snapshot=False, active=len(region))
        for item in (*summary.new, *summary.updated):
            top[item.local_id, item.device.device_id] = item.device
        for gone in summary.inactive:
            top.pop((gone.local_id, gone.device_id), None)

    for number, step in enumerate(steps, 1):
        if step == "take":
            send()
            continue
        local, which, kind, name = step
        item = device(which, name)
        key = local, item.device_id
        if kind == "inactive":
            lost = [item.device_id] if region.pop(key, None) else []
            digest.add(cycle(number, local), report(number, inactive=[item.device_id]), lost)
        else:
            region[key] = item
            digest.add(cycle(number, local), report(number, **{kind: [item]}), [])
    send()
    assert top == region
