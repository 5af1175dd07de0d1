"""``pdsno policy reset``: go back to the policy of the topology file."""

from __future__ import annotations

from pdsno_cli.cli.policy_apply import FILE, SCOPE
from pdsno_cli.cli.running import JSON, STATE_DIR, TIMEOUT, running, seconds


def reset(
    scope: SCOPE,
    file: FILE = None,
    *,
    timeout: TIMEOUT = "60s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Put the policy that the topology file declares back in force, under a new version.

    Returns once every controller concerned goes by it; exits with 1, naming them, when some do
    not in time.
    """
    from pdsno_cli.cli.policy_order import carry_out
    from pdsno_cli.cli.scopes import known_scope
    from pdsno_cli.model.messages import Command

    patience = seconds(timeout)
    topology, state = running(file, state_dir)
    known_scope(topology, scope)
    command = Command(order="policy_reset")
    carry_out(topology, state, scope, command, patience=patience, as_json=as_json)
