"""Turns a plan into plain data: the answer of the control socket, and ``pdsno plan --json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdsno_cli.supervisor.changes import FieldChange
    from pdsno_cli.supervisor.plan import Plan

FORMAT_VERSION = 1


def plan_report(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON has it: see docs/apply.md."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": plan.topology,
        "running": plan.running,
        "changed": not plan.empty,
        "token": plan.token,
        "fields": [_field(item) for item in plan.fields],
        "changes": [
            {
                "id": item.controller_id,
                "role": item.role.value,
                "region": item.region,
                "change": item.kind.value,
                "fields": [_field(field) for field in item.fields],
                "because": list(item.because),
            }
            for item in plan.changes
        ],
        "effects": list(plan.effects),
    }


def _field(item: FieldChange) -> dict[str, Any]:
    return {"path": item.path, "old": item.old, "new": item.new, "effect": item.effect.name.lower()}
