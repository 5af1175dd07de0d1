"""The flow chart of topics."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.lint.engine import require
from pdsno_cli.render.families import families
from pdsno_cli.render.flow import NAMED, chart

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def drawn(name: str, prefix: str = ""):
    topology = require(TOPOLOGIES / f"{name}.yaml")
    return chart(families(topology), topology, title=name, prefix=prefix)


def test_channel_joins_boxes_of_the_chart():
    made = drawn("zone-a")
    nodes = {box.node for box in made.boxes}
    assert made.channels
    for channel in made.channels:
        assert set(channel.publishers) <= nodes
        assert set(channel.subscribers) <= nodes


def test_many_controllers_are_counted_instead_of_named():
    labels = [box.label for box in drawn("campus-200").boxes]
    assert any(label.endswith(" local controllers") for label in labels)
    assert all(label.count("<br/>") < NAMED for label in labels)


def test_prefix_separates_the_nodes_of_several_charts():
    assert all(box.node.startswith("p2") for box in drawn("zone-a", "p2").boxes)
    assert drawn("zone-a").regions == ["zone-A"]
