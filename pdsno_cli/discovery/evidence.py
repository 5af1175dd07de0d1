"""Why a device is taken for what it is, found again in the texts that stores keep of it; pure.

Stores keep facts without their evidence. Those that follow from sysDescr and sysObjectID, which are kept,
are found again; the source of others, as a serial number of ENTITY-MIB, is not known any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery.identify.identity import identify, system_answers

if TYPE_CHECKING:
    from pdsno_cli.model.devices import Device


def evidence(device: Device) -> dict[str, str]:
    """Return the evidence of each stored fact that follows from the system group."""
    answers = system_answers(device.sys_descr, device.sys_object_id)
    stored = device.extra or {}
    return {
        field: fact.evidence
        for field, fact in identify(answers).items()
        if stored.get(field) == fact.value
    }
