"""Checks a policy file as ``validate`` checks a topology: shape, names and meaning, with positions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pdsno_cli.lint.rules import pace, target_range
from pdsno_cli.model.errors import InvalidTopologyError
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.model.policy_rules import target_problem
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import GLOBAL
from pdsno_cli.spec.build import policy
from pdsno_cli.spec.load import open_file, unset
from pdsno_cli.spec.schema import Shape, schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

_TARGETS = {
    "description": "The addresses that a local controller discovers.",
    "type": ["string", "array"],
    "minLength": 1,
    "items": {"type": "string", "minLength": 1},
    "examples": [["10.0.1.0/24", "10.0.2.1-10.0.2.30"]],
}


def require_policy(path: Path | str, topology: Topology, scope: str) -> PolicyDocument:
    """Return the policy of a file, ``-`` for standard input, under version 0.

    InvalidTopologyError carries its findings; UsageError if it cannot be read.
    """
    opened = open_file(path, _shape(topology, scope), os.environ)
    document, diagnostics = opened.document, list(opened.diagnostics)
    if document is not None:
        diagnostics += unset(document, os.environ)
    if document is None or diagnostics:
        raise InvalidTopologyError(diagnostics)
    found = policy(document.data)
    targets: dict[str, Any] = document.data.get("targets", {})
    diagnostics += _check(document, found.scan_interval, targets)
    if not diagnostics:
        diagnostics += _check_together(document, topology, targets)
    if diagnostics:
        raise InvalidTopologyError(sorted(diagnostics, key=lambda item: item.sort_key))
    return PolicyDocument(
        scope=scope,
        version=0,
        scan_interval=found.scan_interval,
        protocols=found.protocols,
        missed_cycles=found.missed_cycles,
        targets={name: tuple(_listed(own)) for name, own in targets.items()} or None,
    )


def _shape(topology: Topology, scope: str) -> Shape:
    """Return the shape of a scope's policy; a region's may give its local controllers targets."""
    definitions = schema()["definitions"]
    base = definitions["policy"]
    properties = dict(base["properties"])
    if scope != GLOBAL:
        names = [item.controller_id for item in topology.of_role(Role.LOCAL, scope)]
        properties["targets"] = {
            "description": "The addresses that local controllers of the region discover, by id.",
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(names, _TARGETS),
            "examples": [{name: ["10.0.1.0/24"] for name in names[:1]}],
        }
    return Shape(
        schema={**base, "properties": properties, "definitions": definitions},
        kind="a policy",
        least="one key, for example: scan_interval: 30s",
        advice="docs/operations.md shows one",
    )


def _check(
    document: Document, interval: float | None, targets: dict[str, Any]
) -> Iterator[Diagnostic]:
    if interval is not None:
        yield from pace.check_duration(document, "an interval", interval, ("scan_interval",))
    for name, own in targets.items():
        for index, target in enumerate(_listed(own)):
            where = ("targets", name) if isinstance(own, str) else ("targets", name, index)
            yield from target_range.check_target(document, target, where)


def _check_together(
    document: Document, topology: Topology, targets: dict[str, Any]
) -> Iterator[Diagnostic]:
    """Yield a finding for targets that are valid each, and not declared for their controller."""
    for name, own in targets.items():
        declared = topology.controllers[name].discovery.targets
        problem = target_problem(name, tuple(_listed(own)), declared)
        if problem is not None:
            yield document.finding(
                target_range.CODE,
                problem,
                ("targets", name),
                hint="a policy selects among the declared targets: add it to the topology file first",
            )


def _listed(own: str | list[str]) -> list[str]:
    return [own] if isinstance(own, str) else own
