from __future__ import annotations

from pdsno_cli.cli.cycle_warnings import CycleWarnings
from pdsno_cli.model.notices import CycleNotice
from tests.model.test_probe_warnings import probe


def cycle(snmp):
    return CycleNotice(
        controller_id="lc1",
        cycle=1,
        outcome="complete",
        seconds=0.1,
        probes=(probe("icmp", 3), probe("snmp", snmp)),
        new=0,
        updated=0,
        inactive=0,
        active=3,
    )


def test_a_warning_is_given_once_until_it_changes():
    warnings = CycleWarnings()
    assert warnings.take(cycle(0)).startswith("lc1: warning: snmp 0/3: no answer")
    assert warnings.take(cycle(0)) is None
    assert warnings.take(cycle(2)) is None
    assert "though to an earlier cycle" in warnings.take(cycle(0))
