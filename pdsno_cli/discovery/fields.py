"""Maps the fields of a device to the protocols that yield them; pure.

The source is ``yields`` in the registry. merge, identity and changes name no field of a probe: they
keep, replace or drop the fields of a protocol together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pdsno_cli.discovery.text import clean
from pdsno_cli.model.devices import EXTRA_VALUE, Device
from pdsno_cli.model.probes import FACTS

if TYPE_CHECKING:
    from pdsno_cli.discovery.probe import Fields
    from pdsno_cli.model.devices import Observation

_MEMBERS = frozenset(Device.__struct_fields__)


def names(protocol: str) -> tuple[str, ...]:
    """Return the names of the fields that a protocol yields.

    The MAC is not among them: it outlives its protocol and has rules of its own (``identity``).
    """
    facts = FACTS.get(protocol)
    return tuple(name for name in facts.yields if name != "mac") if facts is not None else ()


def fields_of(item: Device | Observation, protocols: Iterable[str]) -> dict[str, str | float]:
    """Return the fields that ``item`` has from these protocols."""
    extra = item.extra or {}
    found = {}
    for name in (name for protocol in protocols for name in names(protocol)):
        value = getattr(item, name) if name in _MEMBERS else extra.get(name)
        if value is not None:
            found[name] = value
    return found


def lasting(before: Device, seen: Observation) -> dict[str, str | float]:
    """Return the fields that a device keeps if its agent's answer does not have them this time.

    They are asked for rarely. Another description or kind of agent means another agent.
    """
    if (before.sys_descr, before.sys_object_id) != (seen.sys_descr, seen.sys_object_id):
        return {}
    kept = {name for protocol in seen.protocols for name in FACTS[protocol].lasting}
    return {
        name: value for name, value in fields_of(before, seen.protocols).items() if name in kept
    }


def answered(protocol: str, answer: Fields) -> dict[str, str | float]:
    """Return the fields of an answer that its protocol may yield."""
    return {name: answer[name] for name in names(protocol) if name in answer}


def members(fields: Fields) -> dict[str, Any]:
    """Return the fields as keyword arguments of a Device or an Observation.

    Those that are not members of these types go into ``extra``, as text that is safe to print.
    """
    own = {name: value for name, value in fields.items() if name in _MEMBERS}
    rest = {
        name: text
        for name, value in fields.items()
        if name not in _MEMBERS and (text := clean(str(value), EXTRA_VALUE)) is not None
    }
    return {**own, "extra": rest} if rest else own
