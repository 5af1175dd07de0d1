"""The scopes of policy that a command may be about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology


def known_scope(topology: Topology, scope: str) -> None:
    """Require that somebody publishes the policy of ``scope``; UsageError with a suggestion."""
    from pdsno_cli.controllers.policy import scopes

    known = scopes(topology)
    if scope not in known:
        hint = did_you_mean(scope, known) or f"one of: {', '.join(known)}"
        raise UsageError(f"there is no scope {scope!r}: {hint}")
