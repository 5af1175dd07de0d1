"""Families of topics: patterns with the topics of a topology."""

from __future__ import annotations

from pathlib import Path

from pdsno_cli.lint.engine import require
from pdsno_cli.model.topics import EVERY_CONTROLLER, Party
from pdsno_cli.render.families import families, parties

ZONE_A = Path(__file__).parents[2] / "topologies" / "zone-a.yaml"


def test_parties_name_all_controllers_at_once():
    assert parties(EVERY_CONTROLLER) == "all controllers"
    assert parties((*EVERY_CONTROLLER, Party.OPERATOR)) == "all controllers, operator"
    assert parties((Party.GLOBAL, Party.LOCAL)) == "global, local"


def test_family_has_a_topic_for_each_controller_or_region_of_its_pattern():
    found = {family.pattern: family for family in families(require(ZONE_A))}
    assert found["pdsno/discovery/{region}/{lc_id}"].topics == (
        "pdsno/discovery/zone-A/local_cntl_zone-a_001",
        "pdsno/discovery/zone-A/local_cntl_zone-a_002",
    )
    assert found["pdsno/policy/{region}"].topics == ("pdsno/policy/zone-A",)
    assert len(found["pdsno/status/{controller_id}"].topics) == 4


def test_policy_of_a_region_has_other_parties_than_that_of_the_network():
    found = {family.pattern: family for family in families(None)}
    assert found["pdsno/policy/global"].publishers == (Party.GLOBAL,)
    assert found["pdsno/policy/{region}"].publishers == (Party.REGIONAL,)
