"""Boxes and regions have places of their own, whatever the network."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdsno_cli.render.network import Box, Cable, Network
from pdsno_cli.render.network_layout import layout

KINDS = ("router", "switch", "printer", "")


def network(regions, cables, kinds=()):
    boxes = tuple(
        Box(name=f"b{n}", kind=kinds[n] if n < len(kinds) else "", region=region)
        for n, region in enumerate(regions)
    )
    made = tuple(
        Cable(box=a, port="", other=b, other_port="", evidence="", confirmed=True)
        for a, b in cables
    )
    return Network(title="t", boxes=boxes, cables=made)


def overlap(one, other):
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def contains(frame, place):
    return (
        frame.x <= place.x
        and frame.y <= place.y
        and place.x + place.width <= frame.x + frame.width
        and place.y + place.height <= frame.y + frame.height
    )


@st.composite
def networks(draw):
    regions = draw(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=40))
    number = st.integers(0, len(regions) - 1)
    pairs = draw(st.lists(st.tuples(number, number).filter(lambda p: p[0] != p[1]), max_size=60))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=40))
    return network(regions, pairs, kinds)


@settings(max_examples=80)
@given(networks())
def test_nothing_overlaps_and_every_box_is_in_its_region(drawn):
    places = layout(drawn)
    assert len(places.boxes) == len(drawn.boxes)
    assert not any(overlap(*pair) for pair in itertools.combinations(places.boxes, 2))
    assert not any(overlap(*pair) for pair in itertools.combinations(places.regions.values(), 2))
    for box, place in zip(drawn.boxes, places.boxes, strict=True):
        assert contains(places.regions[box.region], place)
    assert layout(drawn) == places


def test_a_router_is_above_its_switches_and_they_above_their_stations():
    drawn = network(
        ["r"] * 5,
        [(4, 1), (1, 0), (3, 1), (2, 3)],
        ["printer", "switch", "printer", "switch", "router"],
    )
    y = [place.y for place in layout(drawn).boxes]
    assert y[4] < y[1] < y[0]
    assert y[1] < y[3] < y[2]


@pytest.mark.parametrize("count", [3000])
def test_a_long_chain_is_placed_without_recursion(count):
    drawn = network(["r"] * count, [(n, n + 1) for n in range(count - 1)])
    assert len(layout(drawn).boxes) == count


def test_many_stations_of_a_switch_stand_in_a_block():
    drawn = network(["r"] * 101, [(0, n) for n in range(1, 101)], ["switch"])
    frame = layout(drawn).regions["r"]
    assert frame.width < 4 * frame.height
    assert frame.height < 4 * frame.width
