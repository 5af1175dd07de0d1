"""Why a device is taken for what it is, found again in the texts that stores keep of it; pure.

Stores keep facts without their evidence. Those that follow from sysDescr and sysObjectID, which are kept,
are found again; the source of others, as a serial number of ENTITY-MIB, is not known any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.discovery.identify.answers import Answers, Object, Oid, parse_oid
from pdsno_cli.discovery.identify.identity import identify

if TYPE_CHECKING:
    from pdsno_cli.model.devices import Device

_SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
_SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)


def evidence(device: Device) -> dict[str, str]:
    """Return the evidence of each stored fact that follows from the system group."""
    objects: dict[Oid, Object] = {}
    if device.sys_descr is not None:
        objects[_SYS_DESCR] = Object(device.sys_descr.encode())
    object_id = parse_oid(device.sys_object_id or "")
    if object_id is not None:
        objects[_SYS_OBJECT_ID] = Object(object_id)
    stored = device.extra or {}
    return {
        field: fact.evidence
        for field, fact in identify(Answers(objects)).items()
        if stored.get(field) == fact.value
    }
