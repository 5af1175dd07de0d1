"""``pdsno discover``: starts a discovery cycle and waits until its report is committed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, STATE_DIR, TIMEOUT, require_controller, require_region, seconds
from pdsno_cli.cli.completion import regions, topology_and_controllers
from pdsno_cli.cli.table import fitted, plural
from pdsno_cli.cli.target import file_first, load

if TYPE_CHECKING:
    from pdsno_cli.client.discovery_request import DiscoveryRequests, Outcome
    from pdsno_cli.client.operator import Operator
    from pdsno_cli.spec.topology import Controller, Topology

FORMAT_VERSION = 1
_NAMED = 3  # controllers that a line names
_UNHEARD = 3.0  # seconds for the broker to deliver retained status, at least
_HEAD = ("controller", "cycle", "devices", "new", "updated", "inactive", "committed")
_DROP = ("updated", "inactive", "new")


def discover(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [ID]...",
            autocompletion=topology_and_controllers(role="local"),
            help="The topology, and local controllers.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            metavar="R",
            autocompletion=regions,
            help="The local controllers of a region.",
        ),
    ] = None,
    timeout: TIMEOUT = "60s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Run a discovery cycle on local controllers.

    All of them by default. Returns once the regional controllers have committed the reports; exits with 1, naming the
    missing ones, at the timeout.
    """
    from pdsno_cli.client.session import operator_session
    from pdsno_cli.model.errors import OperationError

    file, ids = file_first(words or [])
    limit = seconds(timeout)
    topology, state = load(file, state_dir)
    chosen = _chosen(topology, ids, region)
    topics = topology.topics
    filters = (
        topics.discovery("+", "+"),
        topics.ack("+"),
        topics.events("+"),
        topics.status("+"),
    )
    with operator_session(topology, state, filters, console.progress) as operator:
        requests = _order(topology, operator, chosen, time.monotonic() + limit)
    outcomes = list(requests.outcomes.values())
    if as_json:
        rows = [_json(item) for item in outcomes]
        console.document(FORMAT_VERSION, topology.name, controllers=rows)
    else:
        cells = [_cells(item) for item in outcomes]
        console.data(fitted(_HEAD, cells, width=console.width(), drop=_DROP))
    for item in outcomes:
        if item.warning is not None:
            console.message(f"{item.local_id}: warning: {item.warning}")
    failed = [item for item in outcomes if item.seconds is None]
    if failed:
        raise OperationError("; ".join(_failure(item, limit, topology) for item in failed))


def _chosen(topology: Topology, ids: list[str], region: str | None) -> list[Controller]:
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.roles import Role

    if region is not None:
        require_region(topology, region)
    locals_ = {item.controller_id: item for item in topology.of_role(Role.LOCAL, region)}
    for name in ids:
        require_controller(topology, name)
        if name not in locals_:
            known = topology.controllers[name]
            where = f"of region {known.region}" if known.role is Role.LOCAL else known.role.value
            raise UsageError(f"{name} is {where}: name local controllers"
                             + (f" of {region}" if region else ""))  # fmt: skip
    if not locals_:
        raise UsageError(
            f"{topology.name} has no local controller" + (f" in {region}" if region else "")
        )
    return [locals_[name] for name in dict.fromkeys(ids)] or list(locals_.values())


def _order(
    topology: Topology, operator: Operator, chosen: list[Controller], deadline: float
) -> DiscoveryRequests:
    from pdsno_cli.client.discovery_request import DiscoveryRequests

    requests = DiscoveryRequests(topology, chosen)
    names = ", ".join(spec.controller_id for spec in chosen[:_NAMED])
    more = f" and {len(chosen) - _NAMED} more" if len(chosen) > _NAMED else ""
    console.progress(f"waiting for {plural(len(chosen), 'report')}: {names}{more}")
    patience = max(_UNHEARD, *(spec.heartbeat + 1 for spec in chosen))
    _follow(operator, requests, min(time.monotonic() + patience, deadline), deadline)
    for line in requests.give_up_absent():
        console.progress(line)
    if any(not item.done for item in requests.outcomes.values()):
        _follow(operator, requests, deadline, deadline)
    return requests


def _follow(operator: Operator, requests: DiscoveryRequests, until: float, deadline: float) -> None:
    """Order controllers as they are online, until all are done, or until ``until``."""
    from pdsno_cli.client.discovery_request import DISCOVER

    for envelope in operator.messages(until):
        requests.update(envelope, time.monotonic())
        for name in requests.due():
            now = time.monotonic()
            requests.ordered(name, operator.order(name, DISCOVER, deadline=deadline), now)
        if requests.done:
            return


def _failure(item: Outcome, limit: float, topology: Topology) -> str:
    if item.absent is not None:
        return (
            f"{item.local_id} does not run: {item.absent}; start it with pdsno start {topology.name} "
            f"{item.local_id}, or where it belongs with pdsno controller run {topology.path} {item.local_id}"
        )
    if item.refused is not None:
        return f"{item.local_id} refused: {item.refused}"
    if item.end is None:
        return f"{item.local_id} did not report within {limit:g} s"
    return f"the report of {item.local_id} was not committed within {limit:g} s"


def _cells(item: Outcome) -> tuple[str, ...]:
    if item.cycle is None:
        outcome = "refused" if item.refused else "not up" if item.absent else "no report"
        return (item.local_id, "", "", "", "", "", outcome)
    return (
        item.local_id,
        f"{item.cycle}" if item.outcome == "complete" else f"{item.cycle} {item.outcome}",
        str(item.active),
        str(item.new),
        str(item.updated),
        str(item.inactive),
        "not yet" if item.seconds is None else f"{item.seconds:.2f} s",
    )


def _json(item: Outcome) -> dict[str, Any]:
    return {
        "id": item.local_id,
        "region": item.region,
        "cycle": item.cycle,
        "outcome": item.outcome,
        "new": item.new,
        "updated": item.updated,
        "inactive": item.inactive,
        "devices": item.active,
        "committed": item.seconds is not None,
        "seconds": None if item.seconds is None else round(item.seconds, 3),
        "refused": item.refused,
        "absent": item.absent,
        "warning": item.warning,
    }
