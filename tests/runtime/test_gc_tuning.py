from __future__ import annotations

import gc

from pdsno_cli.runtime.gc_tuning import tune_gc


def test_tune_gc_freezes_what_exists_and_still_finds_later_cycles():
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)

    class Node: ...

    try:
        tune_gc()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() > (700, 10, 10)
        node = Node()
        node.self = node
        del node
        assert gc.collect() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
