from __future__ import annotations

import pytest

from pdsno_cli.model.devices import ProbeResult
from pdsno_cli.model.probe_warnings import probe_warning


def probe(protocol, answers, targets=30, error=None):
    return ProbeResult(
        protocol=protocol, targets=targets, answers=answers, seconds=0.1, error=error
    )


def test_snmp_without_an_answer_where_others_found_devices_is_suspicious():
    text = probe_warning([probe("icmp", 23), probe("snmp", 0)])
    assert text.startswith("snmp 0/23: no answer to any community; check community and port")


def test_an_answer_in_an_earlier_cycle_makes_it_suspicious_alone():
    text = probe_warning([probe("snmp", 0)], before=True)
    assert text.startswith("snmp 0/30: no answer to any community, though to an earlier cycle")


@pytest.mark.parametrize(
    "probes",
    [
        [],
        [probe("icmp", 23)],
        [probe("icmp", 23), probe("snmp", 1)],
        [probe("icmp", 0), probe("snmp", 0)],
        [probe("icmp", 23, error="not permitted"), probe("snmp", 0)],
        [probe("icmp", 23), probe("snmp", 0, error="no library")],
        [probe("icmp", 23), probe("snmp", 0, targets=0)],
    ],
    ids=["nothing", "no snmp", "an answer", "no device", "others failed", "failed", "no target"],
)
def test_everything_else_is_not(probes):
    assert probe_warning(probes) is None
