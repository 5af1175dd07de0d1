from __future__ import annotations

import pytest

from pdsno_cli.model.epochs import SLACK
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.policy_rules import problem, unknown_local

NOW = 1_800_000_000.0
DECLARED = {"l1": ("10.0.0.0/24", "10.0.2.7"), "l6": ("fd00:1::/64", "fd00:2::/120")}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, None),
        ({"scan_interval": 0.1, "protocols": ("icmp",), "missed_cycles": 1}, None),
        ({"version": int(NOW + SLACK)}, None),
        ({"version": int(NOW + SLACK) + 2}, "ahead of the clock"),
        ({"scan_interval": 0.0}, "out of bounds"),
        ({"scan_interval": 86_401.0}, "out of bounds"),
        ({"protocols": ()}, "(none)"),
        ({"protocols": ("icmp", "telepathy")}, "'telepathy'"),
        ({"protocols": ("\x1b[2J",)}, r"'\x1b[2J'"),
        ({"missed_cycles": 0}, "0 missed cycles"),
        ({"missed_cycles": 1001}, "1001 missed cycles"),
        ({"targets": {"l1": ("10.0.0.0/24",)}}, None),
        ({"targets": {"l1": ("10.0.0.9-10.0.0.200", "10.0.2.7")}}, None),
        ({"targets": {"l1": DECLARED["l1"]}}, None),
        ({"targets": {"l6": ("FD00:1::7", "fd00:1::1:0/112", "fd00:2::9")}}, None),
        ({"targets": {"l6": ("fd00:1::/64",)}}, None),
        ({"targets": {"l6": ("fd00:3::7",)}}, "fd00:3::7 is not among the declared targets of l6"),
        ({"targets": {"l6": ("fd00:2::/64",)}}, "fd00:2::100 is not among the declared targets"),
        ({"targets": {"l6": ("fd00:1::/72",)}}, "too many addresses"),
        ({"targets": {"l1": ("not an address",)}}, "'not an address' is not an address range"),
        ({"targets": {"l1": ("10.0.0.0/24", "nowhere")}}, "'nowhere' is not an address range"),
        ({"targets": {"l1": ("0.0.0.0/0",)}}, "contains multicast"),
        ({"targets": {"l1": ("10.0.0.0/8",)}}, "l1 would have 16,777,214 addresses"),
        ({"targets": {"l1": ("10.0.0.0/12",)}}, "10.0.0.255 is not among"),
        ({"targets": {"l1": ("10.0.2.7", "10.0.2.8")}}, "10.0.2.8 is not among"),
        ({"targets": {"l2": ("whatever another says",)}}, "is not an address range"),
        ({"targets": {"l1": ("10.0.0.1",)}, "scope": "global"}, "a global policy"),
    ],
)
def test_problem_names_what_is_invalid(keys, words):
    document = PolicyDocument(**{"scope": "r1", "version": 0, **keys})
    found = problem(document, DECLARED, NOW)
    assert (found is None) if words is None else (found is not None and words in found)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ({"l2": ("10.9.0.0/24",)}, None),
        ({"l2": ("nowhere",)}, "is not an address range"),
        ({"l2": ("10.0.0.0/8",)}, "l2 would have"),
        ({"l1": ("10.9.0.0/24",)}, "is not among"),
    ],
)
def test_problem_for_one_controller_leaves_the_others_files_to_them(targets, words):
    found = problem(PolicyDocument(scope="r1", version=1, targets=targets), DECLARED, NOW, "l1")
    assert (found is None) if words is None else (found is not None and words in found)


def test_problem_of_a_controller_without_targets_of_its_own():
    given = PolicyDocument(scope="r1", version=1, targets={"l1": ("10.0.0.1",)})
    assert "10.0.0.1 is not among" in str(problem(given, {"l1": ()}, NOW))


def test_unknown_local_names_a_controller_outside_the_region():
    document = PolicyDocument(scope="r1", version=1, targets={"l1": (), "l9": ()})
    assert unknown_local(document, DECLARED) == "r1 has no local controller 'l9'"
    assert unknown_local(PolicyDocument(scope="r1", version=1), DECLARED) is None
