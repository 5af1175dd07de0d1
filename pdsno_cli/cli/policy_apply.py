"""``pdsno policy apply``: put a policy in force and wait until all go by it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.running import JSON, STATE_DIR, TIMEOUT, running, seconds
from pdsno_cli.cli.table import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.messages import PolicyDocument
    from pdsno_cli.runtime.applying import Applying
    from pdsno_cli.runtime.operator import Operator
    from pdsno_cli.spec.topology import Controller, Topology

FORMAT_VERSION = 1
_HEAD = ("controller", "role", "version", "applied after")


def apply(
    document: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A file with the policy; - is stdin.")
    ],
    scope: Annotated[
        str, typer.Option("--scope", metavar="global|REGION", help="Whom the policy is for.")
    ],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The running topology.")
    ] = None,
    *,
    timeout: TIMEOUT = "60s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Put a policy in force for a region, or for all, in the place of the file's.

    It holds until another is applied, or until the topology file declares another. Returns once
    every controller concerned goes by it; exits with 1, naming them, when some do not in time.
    """
    from pdsno_cli.cli.scopes import known_scope
    from pdsno_cli.cli.seat import seat
    from pdsno_cli.controllers.policy import concerned
    from pdsno_cli.lint.policy import require_policy
    from pdsno_cli.model.errors import OperationError

    patience = seconds(timeout)
    topology, state = running(file, state_dir)
    known_scope(topology, scope)
    wanted = require_policy(document, topology, scope)
    controllers = concerned(topology, scope)
    filters = (topology.topics.policy(scope), topology.topics.events("+"))
    began = time.monotonic()
    with seat(topology, state, filters) as operator:
        applying = _order(operator, wanted, controllers, began + patience)
    if applying.refused is not None:
        raise OperationError(f"{controllers[0].controller_id} refused: {applying.refused}")
    if applying.version is None:
        raise OperationError(
            f"{controllers[0].controller_id} did not publish the policy within {patience:g} s"
        )
    after = {name: at - began for name, at in applying.since.items()}
    if as_json:
        _print_json(topology, scope, applying.version, controllers, after)
    else:
        rows = [_cells(item, applying.version, after) for item in controllers]
        console.data(table(_HEAD, rows))
    if applying.missing:
        raise OperationError(
            f"not in force within {patience:g} s at {', '.join(applying.missing)}; "
            "they take it when they are back"
        )


def _order(
    operator: Operator, wanted: PolicyDocument, controllers: Sequence[Controller], deadline: float
) -> Applying:
    from pdsno_cli.model.messages import Command
    from pdsno_cli.runtime.applying import Applying

    applying = Applying(wanted.scope, [item.controller_id for item in controllers])
    command = Command(order="policy", policy=wanted)
    applying.order = operator.order(controllers[0].controller_id, command, deadline=deadline)
    for envelope in operator.messages(deadline):
        applying.hear(envelope, time.monotonic())
        if applying.done:
            break
    return applying


def _cells(spec: Controller, version: int, after: dict[str, float]) -> tuple[str, ...]:
    name = spec.controller_id
    done = name in after
    return (
        name,
        spec.role.value,
        str(version) if done else "",
        f"{after[name]:.2f} s" if done else "not yet",
    )


def _print_json(
    topology: Topology,
    scope: str,
    version: int,
    controllers: Sequence[Controller],
    after: dict[str, float],
) -> None:
    rows = [
        {
            "id": item.controller_id,
            "role": item.role.value,
            "applied": item.controller_id in after,
            "seconds": round(after[item.controller_id], 3) if item.controller_id in after else None,
        }
        for item in controllers
    ]
    report = {"format_version": FORMAT_VERSION, "topology": topology.name, "scope": scope,
              "version": version, "controllers": rows}  # fmt: skip
    console.data(json.dumps(report, indent=2))
