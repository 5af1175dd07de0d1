from __future__ import annotations

from pdsno_cli.controllers.policy import effective, next_document
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.spec.topology import Discovery

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


def test_next_document_keeps_the_version_of_a_policy_that_says_the_same():
    stored = PolicyDocument(scope="r1", version=7, scan_interval=10.0)
    declared = PolicyDocument(scope="r1", version=0, scan_interval=10.0)
    assert next_document(stored, declared) is stored


def test_next_document_of_a_changed_policy_rises_even_past_the_clock():
    far = 10**12
    stored = PolicyDocument(scope="r1", version=far, scan_interval=10.0)
    declared = PolicyDocument(scope="r1", version=0, scan_interval=20.0)
    assert next_document(stored, declared).version == far + 1


def test_next_document_after_a_lost_store_still_rises():
    declared = PolicyDocument(scope="r1", version=0, scan_interval=20.0)
    first = next_document(None, declared)
    assert first.version > 1_700_000_000
