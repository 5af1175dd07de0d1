from __future__ import annotations

from pathlib import Path

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.lint.policy import require_policy
from pdsno_cli.model.errors import InvalidTopologyError, UsageError
from pdsno_cli.model.messages import PolicyDocument

TOPOLOGY = require(Path(__file__).parents[2] / "topologies" / "zone-a.yaml")
LOCAL = "local_cntl_zone-a_001"


PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
EXAMPLE = PAGE.split("```yaml\n# docs/examples/night.yaml\n")[1].split("```")[0]


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "policy.yaml"


def test_require_policy_takes_the_keys_of_a_topology_and_a_regions_targets(file):
    file.write_text(f"""\
scan_interval: 5m
protocols: [icmp]
missed_cycles: 2
targets:
  {LOCAL}: [127.77.1.8/29, 127.77.1.17]
x-note: for the night
""")
    assert require_policy(file, TOPOLOGY, "zone-A") == PolicyDocument(
        scope="zone-A",
        version=0,
        scan_interval=300.0,
        protocols=("icmp",),
        missed_cycles=2,
        targets={LOCAL: ("127.77.1.8/29", "127.77.1.17")},
    )


def test_require_policy_takes_the_example_of_the_page(file):
    file.write_text(EXAMPLE)
    found = require_policy(file, TOPOLOGY, "zone-A")
    assert found == require_policy(EXAMPLES / "night.yaml", TOPOLOGY, "zone-A")
    assert found.scan_interval == 600.0


def test_require_policy_takes_one_target_as_text(file):
    file.write_text(f"targets: {{{LOCAL}: 127.77.1.7}}\n")
    assert require_policy(file, TOPOLOGY, "zone-A").targets == {LOCAL: ("127.77.1.7",)}


@pytest.mark.parametrize(
    ("text", "scope", "expected", "hint"),
    [
        ("scan_intervl: 5s", "global", (1, 1, "PDS101"), "did you mean 'scan_interval'?"),
        ("protocols: [icmp, snpm]", "global", (1, 19, "PDS104"), "did you mean 'snmp'?"),
        ("scan_interval: 5", "global", (1, 16, "PDS103"), "write scan_interval: 5s"),
        ("missed_cycles: 0", "global", (1, 16, "PDS106"), ""),
        ("\n\nscan_interval: 1ms", "global", (3, 16, "PDS219"), ""),
        (f"targets: {{{LOCAL}: 10.0.0.0/24}}", "global", (1, 1, "PDS101"), "known keys"),
        ("targets: {local_cntl_zone-a_01: 10.0.0.1}", "zone-A", (1, 11, "PDS101"), LOCAL),
        (f"targets: {{{LOCAL}: [10.0.0.1, 224.0.0.1]}}", "zone-A", (1, 45, "PDS211"), ""),
        (
            f"\ntargets: {{{LOCAL}: [127.77.1.7, 10.0.0.1]}}",
            "zone-A",
            (2, 11, "PDS211"),
            "topology file",
        ),
        (f"targets: {{{LOCAL}: 10.0.0.0/8}}", "zone-A", (1, 34, "PDS211"), "topology file"),
        ("scan_interval: 5s\nscan_interval: 6s", "global", (2, 1, "PDS002"), ""),
        ("", "global", (1, 1, "PDS005"), "docs/operations.md"),
        ("[icmp]", "global", (1, 1, "PDS005"), ""),
        ("scan_interval: [", "global", (1, 16, "PDS001"), ""),
    ],
)
def test_require_policy_names_what_is_wrong_and_where(file, text, scope, expected, hint):
    file.write_text(text)
    with pytest.raises(InvalidTopologyError) as caught:
        require_policy(file, TOPOLOGY, scope)
    (found,) = caught.value.diagnostics
    assert (found.line, found.column, found.code) == expected
    assert hint in (found.hint or "")


def test_require_policy_that_is_not_there(file):
    with pytest.raises(UsageError, match="cannot read"):
        require_policy(file, TOPOLOGY, "global")
