"""``pdsno policy``: its commands."""

from __future__ import annotations

import typer

from pdsno_cli.cli.policy_apply import apply
from pdsno_cli.cli.policy_reset import reset
from pdsno_cli.cli.policy_show import show
from pdsno_cli.cli.policy_status import status

policy = typer.Typer(
    help="Apply a policy, show it, or show its rollout status.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
policy.command()(apply)
policy.command()(reset)
policy.command()(show)
policy.command()(status)
