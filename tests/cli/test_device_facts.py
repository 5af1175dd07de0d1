"""Filters of ``pdsno devices --where``."""

from __future__ import annotations

import pytest

from pdsno_cli.cli.device_facts import conditions, matches
from pdsno_cli.model.errors import UsageError
from tests.cli.device_formats.samples import NETWORK


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["vendor=cisco"], ["core"]),
        (["vendor=Cisco,type=switch"], ["core"]),
        (["vendor=Cisco", "type=router"], []),
        (["type!=switch", "name~^[ce]"], ["edge"]),
        (["name!~twin", "vendor!="], ["core", "edge", "printer 1"]),
        (["vendor=", "protocols=icmp"], [""]),
        (["state=inactive"], ["twin"]),
        (["region = zone B"], ["printer 1"]),
        (["sys-descr="], ["core", "edge", "", "printer 1", "twin", "twin"]),
        ([], ["core", "edge", "", "printer 1", "twin", "twin"]),
    ],
)
def test_where_selects(texts, found):
    wanted = conditions(texts)
    assert [row["name"] for row in NETWORK if matches(row, wanted)] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vendor", "invalid --where 'vendor': write FIELD=VALUE"),
        ("vendr=Cisco", "unknown field 'vendr': did you mean 'vendor'?"),
        ("name~[", "invalid --where 'name~['"),
        ("=x", "write FIELD=VALUE"),
    ],
)
def test_a_mistake_in_where_is_one_line(text, said):
    with pytest.raises(UsageError) as caught:
        conditions([text])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
