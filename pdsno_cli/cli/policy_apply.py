"""``pdsno policy apply``: put a policy in force and wait until all go by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli.running import JSON, STATE_DIR, TIMEOUT, running, seconds

SCOPE = Annotated[
    str,
    typer.Option(
        "--scope", metavar="global|REGION", help="Scope of the policy: a region, or global."
    ),
]
FILE = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The running topology.")]


def apply(
    document: Annotated[
        Path, typer.Argument(metavar="POLICY", help="A file with the policy; - is stdin.")
    ],
    scope: SCOPE,
    file: FILE = None,
    *,
    timeout: TIMEOUT = "60s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Put a policy in force for a region, or for all, in the place of the file's.

    It holds until another is applied, until 'pdsno policy reset', or until the topology file
    declares another. Returns once every controller concerned goes by it; exits with 1, naming
    them, when some do not in time.
    """
    from pdsno_cli.cli.policy_order import carry_out
    from pdsno_cli.cli.scopes import known_scope
    from pdsno_cli.lint.policy import require_policy
    from pdsno_cli.model.messages import Command

    patience = seconds(timeout)
    topology, state = running(file, state_dir)
    known_scope(topology, scope)
    command = Command(order="policy", policy=require_policy(document, topology, scope))
    carry_out(topology, state, scope, command, patience=patience, as_json=as_json)
