"""Details of devices in pieces."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from pdsno_cli.model.details import (
    Detail,
    Interface,
    Neighbour,
    Station,
    Vlan,
    joined,
    pieces,
    whole,
)

STATIONS = tuple(
    Station(mac=f"02:00:00:00:{n // 256:02x}:{n % 256:02x}", interface="p1") for n in range(450)
)
DETAIL = Detail(
    chassis="02:00:00:00:00:01",
    interfaces=tuple(Interface(index=n, name=f"p{n}") for n in range(300)),
    neighbours=(Neighbour(interface="p1", protocol="lldp", chassis="02:00:00:00:00:02"),),
    vlans=(Vlan(id=10, name="users"),),
    stations=STATIONS,
)


@pytest.mark.parametrize(
    "detail", [DETAIL, Detail(), Detail(stations=()), replace(DETAIL, stations=None)]
)
def test_pieces_join_to_the_whole(detail):
    parts = pieces("d", detail)
    assert all(len(msgspec.json.encode(part)) < 100_000 for part in parts)
    assert list(joined(parts)) == [whole("d", detail)]


def test_a_brief_detail_has_the_digest_of_the_whole_and_no_interfaces():
    (part,) = joined(pieces("d", DETAIL, brief=True))
    assert part.brief
    assert part.digest == DETAIL.digest
    assert part.detail == replace(DETAIL, interfaces=())


def test_details_without_their_last_piece_are_left_out():
    first, *rest = pieces("a", DETAIL)
    assert rest
    assert list(joined([first, *pieces("b", Detail())])) == [whole("b", Detail())]
    assert list(joined(rest[:-1])) == []


def test_the_digest_is_that_of_the_content():
    assert DETAIL.digest == replace(DETAIL).digest
    assert DETAIL.digest != replace(DETAIL, chassis="x").digest
