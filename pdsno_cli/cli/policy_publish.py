"""Orders the publication of a policy and waits for its rollout, for ``apply`` and ``reset``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import require_scope, seconds
from pdsno_cli.cli.completion import scopes
from pdsno_cli.cli.table import table
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pdsno_cli.client.operator import Operator
    from pdsno_cli.client.policy_rollout import PolicyRollout
    from pdsno_cli.model.messages import Command
    from pdsno_cli.spec.topology import Controller, Topology

FORMAT_VERSION = 1
_HEAD = ("controller", "role", "version", "applied after")


SCOPE = Annotated[
    str,
    typer.Option(
        "--scope",
        metavar="global|REGION",
        autocompletion=scopes,
        help="Scope of the policy: a region, or global.",
    ),
]


def publish(
    command: Callable[[Topology], Command],
    scope: str,
    file: Path | None,
    *,
    timeout: str,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Send ``command`` to the publisher of ``scope`` and print which controllers applied the policy.

    Raises OperationError when it is refused, or when a controller has not applied it at the timeout.
    """
    from pdsno_cli.client.session import operator_session
    from pdsno_cli.controllers.policy import concerned
    from pdsno_cli.model.errors import OperationError

    limit = seconds(timeout)
    topology, state = load(file, state_dir)
    require_scope(topology, scope)
    order = command(topology)
    controllers = concerned(topology, scope)
    publisher = controllers[0].controller_id
    filters = (topology.topics.policy(scope), topology.topics.events("+"))
    began = time.monotonic()
    with operator_session(topology, state, filters, console.progress) as operator:
        rollout = _order(operator, scope, order, controllers, began + limit)
    if rollout.refused is not None:
        raise OperationError(f"{publisher} refused: {rollout.refused}")
    if rollout.version is None:
        raise OperationError(f"{publisher} did not publish the policy within {limit:g} s")
    after = {name: at - began for name, at in rollout.since.items()}
    if as_json:
        _print_json(topology, scope, rollout.version, controllers, after)
    else:
        rows = [_cells(item, rollout.version, after) for item in controllers]
        console.data(table(_HEAD, rows))
    if rollout.missing:
        raise OperationError(
            f"not in force within {limit:g} s at {', '.join(rollout.missing)}; "
            "they apply it when they are back"
        )


def _order(
    operator: Operator,
    scope: str,
    command: Command,
    controllers: Sequence[Controller],
    deadline: float,
) -> PolicyRollout:
    from pdsno_cli.client.policy_rollout import PolicyRollout

    rollout = PolicyRollout(scope, [item.controller_id for item in controllers])
    rollout.order = operator.order(controllers[0].controller_id, command, deadline=deadline)
    for envelope in operator.messages(deadline):
        rollout.update(envelope, time.monotonic())
        if rollout.done:
            break
    return rollout


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
    console.document(FORMAT_VERSION, topology.name, scope=scope, version=version, controllers=rows)
