"""``pdsno policy show``: prints the policies in force in the form that ``apply`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, require_scope
from pdsno_cli.cli.completion import scopes
from pdsno_cli.cli.target import load

if TYPE_CHECKING:
    from pdsno_cli.model.messages import PolicyDocument
    from pdsno_cli.nib.rows import PolicyRecord

FORMAT_VERSION = 1


def show(
    file: FILE = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", metavar="global|REGION", autocompletion=scopes, help="Show this scope only."
        ),
    ] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show the policies in force.

    Reads the stores on this machine; the topology may be up or down.
    """
    from pdsno_cli.client.policy_status import in_force
    from pdsno_cli.controllers.policy import scopes
    from pdsno_cli.model.errors import UsageError

    topology, state = load(file, state_dir)
    if scope is not None:
        require_scope(topology, scope)
    wanted = (scope,) if scope is not None else scopes(topology)
    known = {name: in_force(topology, state, name) for name in wanted}
    found = {name: record for name, record in known.items() if record is not None}
    if not found:
        raise UsageError(f"{topology.name} was never up in {state.root}: it has no policies")
    if as_json:
        policies = [_json(record) for record in found.values()]
        console.document(FORMAT_VERSION, topology.name, policies=policies)
    else:
        console.data("---\n".join(_text(record) for record in found.values()))


def _keys(document: PolicyDocument) -> dict[str, Any]:
    """Return the document in the form of a policy file."""
    from pdsno_cli.model.durations import format_duration

    interval, protocols = document.scan_interval, document.protocols
    keys = {
        "scan_interval": None if interval is None else format_duration(interval),
        "protocols": None if protocols is None else list(protocols),
        "missed_cycles": document.missed_cycles,
        "targets": {name: list(own) for name, own in (document.targets or {}).items()} or None,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _text(record: PolicyRecord) -> str:
    import yaml

    from pdsno_cli.model.ids import timestamp

    document = record.document
    origin = "from the topology file" if record.instead_of is None else "applied"
    head = f"# {document.scope}: version {document.version}, {origin}, since {timestamp(record.since)}\n"
    keys = _keys(document)
    return head + (yaml.safe_dump(keys, sort_keys=False, default_flow_style=None) if keys else "")


def _json(record: PolicyRecord) -> dict[str, Any]:
    from pdsno_cli.model.ids import timestamp

    document = record.document
    return {
        "scope": document.scope,
        "version": document.version,
        "origin": "file" if record.instead_of is None else "applied",
        "since": timestamp(record.since),
        "policy": _keys(document),
    }
