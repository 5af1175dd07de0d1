"""PDS301: topics of a region that nobody publishes on, or nobody subscribes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pdsno_cli.lint.common import key_of
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.roles import Role
from pdsno_cli.model.topics import CLASSES, party, publishers, subscribers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.model.topics import Party
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Controller, Topology

CODE = "PDS301"
_REGION = "{region}"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each region whose topics lack a side among the declared controllers.

    A region without a regional controller is a finding of region-without-regional. A file without
    any local controller is a beginning, and none.
    """
    present: dict[str | None, set[Party]] = {}
    for controller in topology.controllers.values():
        present.setdefault(controller.region, set()).add(party(controller.role))
    if not any(party(Role.LOCAL) in here for here in present.values()):
        return
    for region in topology.regions:
        here = present.get(region, set())
        if party(Role.REGIONAL) not in here:
            continue
        unfed, unheard = _one_sided(topology, region, here | {party(Role.GLOBAL)})
        parts = [f"nobody publishes on {' or '.join(unfed)}"] if unfed else []
        parts += [f"nobody subscribes to {' or '.join(unheard)}"] if unheard else []
        if not parts:
            continue
        stray = _named_after(topology, region)
        hint = f"for example: local_cntl_{region}_1: {{role: local, region: {region}, …}}"
        where: Where = ("regions", region)
        if stray is not None:
            hint = f"is {stray.controller_id!r} meant for it? write region: {region}"
            where = (*key_of(stray), "region")
        yield document.finding(
            CODE,
            f"region {region!r} has no local controllers: {', and '.join(parts)}",
            where,
            key=stray is None,
            severity=Severity.WARNING,
            hint=hint,
        )


def _named_after(topology: Topology, region: str) -> Controller | None:
    """Return the first local controller whose id names this region and not the one that it is in."""
    for controller in topology.of_role(Role.LOCAL):
        own = controller.region
        name = controller.controller_id
        if own is not None and _names(name, region) and not _names(name, own):
            return controller
    return None


def _names(controller_id: str, region: str) -> bool:
    """Return True if a region's name stands in an id, between other signs than letters and digits."""
    if region.casefold() not in controller_id.casefold():
        return False
    alone = rf"(?<![^\W_]){re.escape(region)}(?![^\W_])"
    return re.search(alone, controller_id, re.IGNORECASE) is not None


def _one_sided(topology: Topology, region: str, here: set[Party]) -> tuple[list[str], list[str]]:
    """Return the topics of a region without a publisher, and those without a subscriber."""
    unfed, unheard = [], []
    for item in CLASSES.values():
        for pattern in item.patterns:
            scope = pattern.split("/")[1]
            if scope != _REGION:
                continue
            wide = pattern.format(region=region, lc_id="+", rc_id="+")
            topic = f"{topology.topics.root}/{wide}"
            publish = here.intersection(publishers(item, region))
            subscribe = here.intersection(subscribers(item, region))
            if subscribe and not publish:
                unfed.append(topic)
            elif publish and not subscribe:
                unheard.append(topic)
    return unfed, unheard


RULE = Rule(code=CODE, name="one-sided-topics", check=check, absence=True, advice=True)
