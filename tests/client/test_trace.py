"""`pdsno trace` of addresses that are excluded, or in a blackout: why they are not found, unasked."""

from __future__ import annotations

import pytest

from pdsno_cli.client.trace import trace_address
from pdsno_cli.lint.engine import require
from pdsno_cli.runtime.state_dir import StateDir

FILE = """\
name: trace
regions: {r: {}}
controllers:
  gc: {role: global}
  rc: {role: regional, region: r}
  lc:
    role: local
    region: r
    discovery: {targets: [127.112.1.1-127.112.1.9], protocols: [icmp], KEYS}
"""


@pytest.fixture
def trace(tmp_path):
    """Return a function that traces an address of a file that was never up, by check."""

    def run(keys, address):
        file = tmp_path / "topology.yaml"
        file.write_text(FILE.replace("KEYS", keys))
        found = trace_address(require(str(file)), StateDir(tmp_path / "state"), address)
        return {item.check: (item.verdict, item.text) for item in found}

    return run


def test_an_excluded_address_is_the_reason_and_is_not_asked(trace):
    excluded = trace("exclude: [127.112.1.4/31]", "127.112.1.5")
    assert excluded["exclude"] == (
        "fail",
        "lc never probes 127.112.1.5: it is in discovery.exclude",
    )
    assert not excluded.keys() & {"icmp", "probes"}
    other = trace("exclude: [127.112.1.4/31]", "127.112.1.6")
    assert "exclude" not in other
    assert "icmp" in other


def test_nothing_is_asked_in_a_blackout(trace):
    found = trace('blackout: ["Mon-Sun 00:00-24:00"]', "127.112.1.5")
    assert found["blackout"][0] == "warn"
    assert found["blackout"][1].startswith("no cycle of lc starts before ")
    assert found["probes"] == ("skip", "nothing is asked in a blackout")
    assert "icmp" not in found
