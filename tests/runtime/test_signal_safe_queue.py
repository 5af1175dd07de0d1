from __future__ import annotations

import random
import threading
import time

from pdsno_cli.runtime.signal_safe_queue import SignalSafeQueue


def test_take_gives_what_was_put_in_order_and_none_once_it_is_time():
    queue: SignalSafeQueue[int] = SignalSafeQueue()
    for number in range(3):
        queue.put(number)
    soon = time.monotonic() + 0.02
    assert [queue.get(soon) for _ in range(4)] == [0, 1, 2, None]
    assert time.monotonic() >= soon


def test_take_is_woken_by_another_thread():
    queue: SignalSafeQueue[str] = SignalSafeQueue()
    threading.Timer(0.02, queue.put, ("news",)).start()
    assert queue.get(None) == "news"
    threading.Timer(0.02, queue.put, ("more",)).start()
    assert queue.get(time.monotonic() + 20) == "more"


def test_a_wait_that_is_over_before_it_has_begun_ends():
    """After something was taken without a wait, queue.SimpleQueue never ends such a one."""
    queue: SignalSafeQueue[int] = SignalSafeQueue()
    rng = random.Random(1)
    done = []

    def take():
        for number in range(100_000):
            queue.put(number)
            assert queue.get(None) == number
            assert queue.get(time.monotonic() + rng.random() * 5e-6) is None
        done.append(True)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(30)
    assert done
