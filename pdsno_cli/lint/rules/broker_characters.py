"""PDS303: a character that is a wildcard or a separator to some brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of, one_for_each_key
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.brokers import BROKERS, FACTS, SEPARATOR, WILDCARD, BrokerFacts
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology

CODE = "PDS303"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for the root, each region and each key with such a character.

    Without a kind of broker only wildcards count: names with a dot are common.
    """
    special = _special(topology.broker.kind)
    if not special:
        return
    root: Where = ("topics", "root")
    names: list[tuple[str, str, Where]] = [("topic root", topology.topics.root, root)]
    names += [("region name", name, ("regions", name)) for name in topology.regions]
    names += [
        ("controller id", item.controller_id, key_of(item)) for item in one_for_each_key(topology)
    ]
    for kind, name, where in names:
        character = next((one for one in name if one in special), None)
        if character is None:
            continue
        avoided = " and ".join(["'-'", "'_'", *(["'.'"] if "." not in special else [])])
        yield document.finding(
            CODE,
            f"the {kind} {name!r} contains {character!r}, {special[character]}",
            where,
            key=where is not root,
            severity=Severity.WARNING,
            hint=f"use letters, digits, {avoided}",
        )


def _special(kind: str | None) -> Mapping[str, str]:
    """Return the characters that a kind of broker, or any, gives a meaning; and which."""
    if kind is not None:
        return {one: _words([FACTS[kind]], what) for one, what in FACTS[kind].special.items()}
    found: dict[str, list[BrokerFacts]] = {}
    for facts in BROKERS:
        for character, what in facts.special.items():
            if what == WILDCARD:
                found.setdefault(character, []).append(facts)
    return {character: _words(brokers, WILDCARD) for character, brokers in found.items()}


def _words(brokers: list[BrokerFacts], what: str) -> str:
    names = " and ".join(facts.title for facts in brokers)
    if what not in (WILDCARD, SEPARATOR):
        return f"which {names} refuses"
    return f"{what} to {names}"


RULE = Rule(code=CODE, name="broker-characters", check=check, advice=True)
