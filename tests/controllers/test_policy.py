from __future__ import annotations

import msgspec
import pytest

from pdsno_cli.controllers.policy import (
    concerned,
    effective,
    next_document,
    replaced_by,
    scopes,
)
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.nib.rows import PolicyRecord
from pdsno_cli.spec.topology import Discovery
from tests.runtime.test_acl import TOPOLOGY

DECLARED = Discovery(interval=30.0, protocols=("icmp",), targets=("127.1.1.1",), missed_cycles=3)


def test_effective_without_policy_is_what_the_file_declares():
    assert effective(DECLARED, [], "l1") == DECLARED


def test_effective_region_overrides_global_key_by_key():
    wide = PolicyDocument(scope="global", version=1, scan_interval=60.0, missed_cycles=5)
    narrow = PolicyDocument(scope="r1", version=1, scan_interval=10.0)
    result = effective(DECLARED, [wide, narrow], "l1")
    assert (result.interval, result.missed_cycles, result.protocols) == (10.0, 5, ("icmp",))


def test_effective_targets_are_those_given_to_this_controller():
    document = PolicyDocument(scope="r1", version=1, targets={"l2": ("127.9.9.9",)})
    assert effective(DECLARED, [document], "l1").targets == ("127.1.1.1",)
    assert effective(DECLARED, [document], "l2").targets == ("127.9.9.9",)


def record(document: PolicyDocument, instead_of: PolicyDocument | None = None) -> PolicyRecord:
    return PolicyRecord(document=document, since=1.0, instead_of=instead_of)


def test_next_document_keeps_the_version_of_a_policy_that_says_the_same():
    stored = record(PolicyDocument(scope="r1", version=7, scan_interval=10.0))
    declared = PolicyDocument(scope="r1", version=0, scan_interval=10.0)
    assert next_document(stored, declared) is stored.document


def test_next_document_of_a_changed_policy_rises_even_past_the_clock():
    far = 10**12
    stored = record(PolicyDocument(scope="r1", version=far, scan_interval=10.0))
    declared = PolicyDocument(scope="r1", version=0, scan_interval=20.0)
    assert next_document(stored, declared).version == far + 1


def test_next_document_after_a_lost_store_still_rises():
    declared = PolicyDocument(scope="r1", version=0, scan_interval=20.0)
    first = next_document(None, declared)
    assert first.version > 1_700_000_000


FILE = PolicyDocument(
    scope="r1", version=0, scan_interval=30.0, targets={"l1": ("10.0.0.1",), "l2": ("10.0.0.2",)}
)
ORDERED = PolicyDocument(scope="r1", version=9, scan_interval=5.0, targets={"l1": ("10.0.0.9",)})


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"targets": {"l1": ("10.0.0.1",), "l3": ("10.0.0.3",)}}, True),
        ({"scan_interval": 31.0}, False),
        ({"missed_cycles": 2}, False),
        ({"targets": {"l1": ("10.0.0.7",), "l2": ("10.0.0.2",)}}, False),
    ],
)
def test_next_document_keeps_what_was_ordered_until_the_file_says_something_else(changes, kept):
    stored = record(ORDERED, replaced_by(ORDERED, FILE))
    declared = msgspec.structs.replace(FILE, **changes)
    document = next_document(stored, declared)
    if kept:
        assert document is ORDERED
    else:
        assert msgspec.structs.replace(document, version=0) == declared
        assert document.version > ORDERED.version


def test_concerned_are_the_publisher_first_and_then_those_below():
    ids = [item.controller_id for item in concerned(TOPOLOGY, "global")]
    assert ids == ["g1", "rc1", "rc2", "lc1"]
    assert [item.controller_id for item in concerned(TOPOLOGY, "r1")] == ["rc1", "lc1"]
    assert scopes(TOPOLOGY) == ("global", "r1", "r2")
