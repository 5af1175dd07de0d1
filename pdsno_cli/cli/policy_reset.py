"""``pdsno policy reset``: publishes the policy of the topology file again."""

from __future__ import annotations

from pdsno_cli.cli.args import FILE, JSON, STATE_DIR, TIMEOUT
from pdsno_cli.cli.policy_publish import SCOPE, publish


def reset(
    scope: SCOPE,
    file: FILE = None,
    *,
    timeout: TIMEOUT = "60s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Apply the policy of the topology file again.

    It gets a new version. Returns once every controller in scope has applied it; exits with 1, naming those that have
    not, at the timeout.
    """
    from pdsno_cli.model.messages import Command

    publish(
        lambda _: Command(order="policy_reset"),
        scope,
        file,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )
