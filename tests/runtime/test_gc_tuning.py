from __future__ import annotations

import gc

from pdsno_cli.runtime.gc_tuning import tune_gc


def test_spare_leaves_what_there_is_alone_and_still_finds_later_cycles():
    before = gc.get_threshold()

    class Node: ...

    try:
        tune_gc()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() > before
        node = Node()
        node.self = node
        del node
        assert gc.collect() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
