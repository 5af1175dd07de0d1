from __future__ import annotations

import random
import threading
import time

from pdsno_cli.runtime.handoff import Handoff


def test_take_gives_what_was_put_in_order_and_none_once_it_is_time():
    handoff: Handoff[int] = Handoff()
    for number in range(3):
        handoff.put(number)
    soon = time.monotonic() + 0.02
    assert [handoff.take(soon) for _ in range(4)] == [0, 1, 2, None]
    assert time.monotonic() >= soon


def test_take_is_woken_by_another_thread():
    handoff: Handoff[str] = Handoff()
    threading.Timer(0.02, handoff.put, ("news",)).start()
    assert handoff.take(None) == "news"
    threading.Timer(0.02, handoff.put, ("more",)).start()
    assert handoff.take(time.monotonic() + 20) == "more"


def test_a_wait_that_is_over_before_it_has_begun_ends():
    """After something was taken without a wait, queue.SimpleQueue never ends such a one."""
    handoff: Handoff[int] = Handoff()
    rng = random.Random(1)
    done = []

    def take():
        for number in range(100_000):
            handoff.put(number)
            assert handoff.take(None) == number
            assert handoff.take(time.monotonic() + rng.random() * 5e-6) is None
        done.append(True)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(30)
    assert done
