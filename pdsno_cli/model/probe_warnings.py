"""Says when a probe's answers are suspicious although the cycle is complete; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pdsno_cli.model.devices import ProbeResult


def probe_warning(probes: Iterable[ProbeResult], *, before: bool = False) -> str | None:
    """Return a warning if no device answered SNMP where other probes found some; None if all is well.

    A wrong community looks like that: agents do not answer it at all (RFC 3584 section 5.2.1).
    ``before`` is True if a device answered SNMP in an earlier cycle. The text begins with the
    answers and the devices found, ``snmp 0/23: ``.
    """
    usable = [probe for probe in probes if probe.error is None]
    snmp = next((probe for probe in usable if probe.protocol == "snmp"), None)
    if snmp is None or snmp.answers or not snmp.targets:
        return None
    found = max((probe.answers for probe in usable if probe is not snmp), default=0)
    if not found and not before:
        return None
    earlier = ", though to an earlier cycle" if before else ""
    return (
        f"snmp 0/{found or snmp.targets}: no answer to any community{earlier}; "
        "check community and port of discovery.snmp, and who may ask the agents"
    )
