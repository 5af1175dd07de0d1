from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.controllers.parts import join, parts
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
def test_parts_hold_everything_once_in_order_and_fit(new, updated, inactive):
    whole = report(new, updated, inactive)
    limit = 20_000
    split = parts(whole, limit)
    for name in ("new", "updated", "inactive"):
        assert sum((getattr(part, name) for part in split), ()) == getattr(whole, name)
    assert all(len(msgspec.json.encode(part)) < limit for part in split)
    assert [part.snapshot for part in split] == [True] + [False] * (len(split) - 1)
    assert [part.more for part in split] == [True] * (len(split) - 1) + [False]


def test_parts_of_what_fits_are_it_itself():
    whole = report([10], [], 1)
    assert parts(whole, 1_000_000) == [whole]


@given(SIZES, SIZES, st.integers(0, 40))
def test_join_makes_whole_what_was_split(new, updated, inactive):
    whole = report(new, updated, inactive)
    assert join(parts(whole, 20_000)) == whole


def test_parts_of_a_region_with_many_locals_share_out_their_cycles_too():
    cycles = tuple(LocalCycle(local_id=f"lc{n}", epoch=1, cycle=n, active=8) for n in range(1000))
    devices = tuple(
        RegionDevice(local_id="lc1", device=device) for device in report([500] * 100, [], 0).new
    )
    whole = Summary(
        region="r", snapshot=True, locals=cycles, new=devices, updated=(), inactive=(), active=8
    )
    split = parts(whole, 40_000)  # less than the cycles take alone
    assert len(split) > 1
    assert all(len(msgspec.json.encode(part)) < 38_000 for part in split)
    assert join(split) == whole
