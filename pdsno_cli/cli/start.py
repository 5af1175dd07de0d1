"""``pdsno start``: starts single controllers of a running topology."""

from __future__ import annotations

from pdsno_cli.cli.args import JSON, STATE_DIR
from pdsno_cli.cli.order import EACH, WORDS, order_controllers


def start(
    words: WORDS = None,
    *,
    timeout: EACH = "30s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Start controllers that were stopped or given up.

    Returns once they are ready; 'pdsno up' starts a whole topology.
    """
    order_controllers("start", words, timeout=timeout, as_json=as_json, state_dir=state_dir)
