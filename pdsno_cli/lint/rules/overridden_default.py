"""PDS501: a default that every controller below it overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import one_for_each_key
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Controller, Topology

    Layers = dict[Where, dict[str, Any]]

CODE = "PDS501"
_ALL = (("heartbeat",), ("nib",))  # settings of every role; the others are a local controller's
_DISCOVERY = (
    "interval", "protocols", "missed_cycles", "mass_loss", "rate", "exclude", "blackout", "snmp_to",
)  # fmt: skip
_TIMEOUT = ("floor", "ceiling")
_SNMP = ("version", "community", "port", "timeout", "retries", "details", "credentials", "traps")
SETTINGS: tuple[tuple[str, ...], ...] = (
    *_ALL,
    *(("discovery", name) for name in _DISCOVERY),
    *(("discovery", "timeout", name) for name in _TIMEOUT),
    *(("discovery", "snmp", name) for name in _SNMP),
)


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each value of a default that no controller uses.

    One key that overrides it is no finding: the default is then for those to come.
    """
    layers = _layers(document)
    members = list(one_for_each_key(topology))
    local = [item for item in members if item.role is Role.LOCAL]
    for setting in SETTINGS:
        written = {where for where, raw in layers.items() if _has(raw, setting)}
        if written:
            concerned = members if setting in _ALL else local
            for where in _unused(written, concerned, document, setting):
                yield document.finding(
                    CODE,
                    f"{'.'.join(map(str, (*where, *setting)))} has no effect: "
                    "every controller that it is for has another one",
                    (*where, *setting),
                    key=True,
                    severity=Severity.WARNING,
                    hint="remove it",
                )


def _layers(document: Document) -> Layers:
    """Return the mappings that controllers inherit from, by their paths."""
    defaults = document.data.get("defaults", {})
    found: Layers = {("defaults",): defaults}
    for role, raw in defaults.get("roles", {}).items():
        found["defaults", "roles", role] = raw
    for name, raw in document.data.get("regions", {}).items():
        found["regions", name] = raw or {}
    return found


def _has(raw: Any, setting: tuple[str, ...]) -> bool:
    for step in setting:
        if not isinstance(raw, dict) or step not in raw:
            return False
        raw = raw[step]
    return True


def _unused(
    written: set[Where], members: list[Controller], document: Document, setting: tuple[str, ...]
) -> list[Where]:
    """Return the layers in ``written`` that several keys override, and that none uses."""
    raw_of = document.data["controllers"]
    unused = dict.fromkeys(sorted(written, key=str), 0)  # with the number of keys that override it
    for item in members:
        overridden = _has(raw_of[item.key], setting)
        above: tuple[Where, ...] = (
            ("regions", item.region or ""),
            ("defaults", "roles", item.role.value),
            ("defaults",),
        )
        for where in above:
            if where not in written:
                continue
            if overridden:
                if where in unused:
                    unused[where] += 1
            else:
                unused.pop(where, None)
                overridden = True
        if not unused:
            break
    return [where for where, count in unused.items() if count > 1]


RULE = Rule(code=CODE, name="overridden-default", check=check, absence=True, advice=True)
