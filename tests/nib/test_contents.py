"""Two inventories have the same contents if they hold the same devices."""

from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.nib.contents import NOTHING, contents
from tests.nib.test_store import device


def test_order_and_uptime_do_not_matter():
    one, two = device(1), device(2, extra={"b": "x", "a": "y"})
    later = msgspec.structs.replace(two, uptime=99.0, extra={"a": "y", "b": "x"})
    assert contents([one, two]) == contents(iter([later, one]))
    assert contents([one, two]).devices == 2
    assert contents([]) == NOTHING


@pytest.mark.parametrize(
    "change",
    [{"sys_name": "a"}, {"mac": None}, {"protocols": ("snmp",)}, {"extra": {"a": "x"}}],
    ids=lambda change: next(iter(change)),
)
def test_any_other_field_matters(change):
    assert contents([device(1)]) != contents([device(1, **change)])
