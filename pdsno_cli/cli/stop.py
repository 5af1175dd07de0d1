"""``pdsno stop``: stops single controllers of a running topology."""

from __future__ import annotations

from pdsno_cli.cli.args import JSON, STATE_DIR
from pdsno_cli.cli.order import EACH, WORDS, order_controllers


def stop(
    words: WORDS = None,
    *,
    timeout: EACH = "30s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Stop controllers until they are started.

    Their parents see a controller that stopped, not one that failed. The rest goes on; 'pdsno down' stops the whole
    topology.
    """
    order_controllers("stop", words, timeout=timeout, as_json=as_json, state_dir=state_dir)
