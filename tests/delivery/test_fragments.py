from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.delivery.fragments import join, split
from pdsno_cli.model.devices import Device
from pdsno_cli.model.messages import DiscoveryReport, LocalCycle, RegionDevice, Summary


def report(new, updated, inactive):
    def devices(sizes, base):
        return tuple(
            Device(
                device_id=f"{base}{n}", addresses=("127.0.0.1",), protocols=(), sys_descr="x" * size
            )
            for n, size in enumerate(sizes)
        )

    return DiscoveryReport(
        region="r1",
        cycle=1,
        snapshot=True,
        outcome="complete",
        started_at="",
        seconds=0.0,
        probes=(),
        new=devices(new, "n"),
        updated=devices(updated, "u"),
        inactive=tuple(f"i{n}" for n in range(inactive)),
        active=0,
    )


SIZES = st.lists(st.integers(0, 3000), max_size=12)


@given(SIZES, SIZES, st.integers(0, 40))
def test_fragments_hold_everything_once_in_order_and_fit(new, updated, inactive):
    whole = report(new, updated, inactive)
    limit = 20_000
    fragments = split(whole, limit)
    for name in ("new", "updated", "inactive"):
        assert sum((getattr(part, name) for part in fragments), ()) == getattr(whole, name)
    assert all(len(msgspec.json.encode(part)) < limit for part in fragments)
    assert [part.snapshot for part in fragments] == [True] + [False] * (len(fragments) - 1)
    assert [part.more for part in fragments] == [True] * (len(fragments) - 1) + [False]


def test_a_payload_that_fits_is_its_only_fragment():
    whole = report([10], [], 1)
    assert split(whole, 1_000_000) == [whole]


@given(SIZES, SIZES, st.integers(0, 40))
def test_join_undoes_split(new, updated, inactive):
    whole = report(new, updated, inactive)
    assert join(split(whole, 20_000)) == whole


def test_fragments_of_a_region_with_many_locals_divide_their_cycles_too():
    cycles = tuple(LocalCycle(local_id=f"lc{n}", epoch=1, cycle=n, active=8) for n in range(1000))
    devices = tuple(
        RegionDevice(local_id="lc1", device=device) for device in report([500] * 100, [], 0).new
    )
    whole = Summary(
        region="r", snapshot=True, locals=cycles, new=devices, updated=(), inactive=(), active=8
    )
    fragments = split(whole, 40_000)  # less than the cycles take alone
    assert len(fragments) > 1
    assert all(len(msgspec.json.encode(part)) < 38_000 for part in fragments)
    assert join(fragments) == whole
