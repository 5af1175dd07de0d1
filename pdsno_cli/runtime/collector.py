"""Keeps Python's cyclic garbage collector from looking again and again at what is no garbage."""

from __future__ import annotations

import gc

# Objects that may be made beyond those that went before the youngest are looked at, 700 by default:
# a receiver holds thousands of messages that wait, and none of them is ever part of a cycle.
_YOUNGEST = 20_000
_ROUNDS = 20  # of each age, before the next older are looked at, too


def spare() -> None:
    """Look never again at what there is by now, and less often at what follows.

    In a process that forks this also keeps children from touching, and so copying, every page
    that they share.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNGEST, _ROUNDS, _ROUNDS)
