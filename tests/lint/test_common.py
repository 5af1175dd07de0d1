"""Queries that rules share."""

from __future__ import annotations

from pdsno_cli.lint.common import addresses, local_targets, on_several_machines, one_for_each_key
from pdsno_cli.lint.engine import check

TEXT = """\
name: common
{broker}
fallbacks: [mqtt]
regions: {{r: {{}}}}
controllers:
  gc: {{role: global}}
  rc: {{role: regional, region: r}}
  lc_[1:3]: {{role: local, region: r, discovery: {{targets: {{split: 10.0.0.0/24, into: 26}}}}}}
"""


def load(tmp_path, broker="broker: {embedded: true}"):
    file = tmp_path / "t.yaml"
    file.write_text(TEXT.format(broker=broker))
    checked = check(file)
    assert checked.topology is not None, checked.diagnostics
    return checked.topology


def test_range_is_visited_once(tmp_path):
    found = [controller.key for controller in one_for_each_key(load(tmp_path))]
    assert found == ["gc", "rc", "lc_[1:3]"]


def test_local_targets_are_those_of_each_controller_of_a_range(tmp_path):
    found = list(local_targets(load(tmp_path)))
    assert [controller.controller_id for controller, _, _ in found] == ["lc_1", "lc_2", "lc_3"]
    assert [item.size for _, _, item in found] == [62, 62, 62]


def test_addresses_of_an_invalid_target_are_a_sentence():
    assert addresses("10.0.0.9-10.0.0.1") == (
        "'10.0.0.9-10.0.0.1' is not an address range: it ends before it starts"
    )


def test_broker_off_loopback_means_several_machines(tmp_path):
    assert not on_several_machines(load(tmp_path))
    assert not on_several_machines(load(tmp_path, "broker: {host: localhost}"))
    assert on_several_machines(load(tmp_path, "broker: {host: broker.example.net}"))
