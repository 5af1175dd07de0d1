"""The registry of probes: complete, consistent, and quick to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pdsno_cli.discovery.probe import load
from pdsno_cli.model.devices import Device
from pdsno_cli.model.probes import (
    DEFAULT_PROTOCOLS,
    FACTS,
    PROBES,
    PROTOCOLS,
    rank,
    sort_protocols,
)
from pdsno_cli.spec.topology import Discovery


def test_names_are_unique_and_the_default_ones_are_registered():
    assert len(FACTS) == len(PROBES)
    assert set(DEFAULT_PROTOCOLS) <= set(PROTOCOLS)
    assert Discovery().protocols == DEFAULT_PROTOCOLS


@pytest.mark.parametrize("facts", PROBES, ids=lambda facts: facts.name)
def test_entry_has_its_code_and_does_not_yield_reserved_fields(facts):
    probe = load(facts)
    assert callable(probe.sweep)
    assert callable(probe.preload)
    decided = {field for field in Device.__struct_fields__ if not field.startswith("sys_")}
    assert not set(facts.yields) & (decided - {"mac", "uptime"})


def test_sort_protocols_follows_the_registry_and_drops_unknown_ones():
    assert sort_protocols(["snmp", "gone", "arp", "snmp"]) == ("arp", "snmp")


def test_rank_puts_unknown_protocols_last():
    assert rank("arp") < rank("snmp") < rank("gone") == rank(None)


@pytest.mark.parametrize(
    "module", ["model.probes", "model.policy_rules", "spec.topology", "lint.engine"]
)
def test_readers_of_the_registry_import_no_probe(module):
    code = f"import sys, pdsno_cli.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {"scapy", "pysnmp", *(facts.module for facts in PROBES)} & loaded
