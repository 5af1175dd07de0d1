"""``pdsno policy apply``: publishes a policy and waits until every controller has applied it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT
from pdsno_cli.cli.policy_publish import SCOPE, publish


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
    """Apply a policy to a region or to all.

    It replaces the topology file's policy. It stays in force until another is applied, until 'pdsno policy reset', or until the topology
    file declares another. Returns once every controller in scope has applied it; exits with 1,
    naming those that have not, at the timeout.
    """
    from pdsno_cli.lint.policy import require_policy
    from pdsno_cli.model.messages import Command

    publish(
        lambda topology: Command(order="policy", policy=require_policy(document, topology, scope)),
        scope,
        file,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )
