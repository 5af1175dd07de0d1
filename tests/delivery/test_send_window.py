from __future__ import annotations

import pytest

from pdsno_cli.delivery.send_window import (
    FIRST_TIMEOUT,
    LONGEST_TIMEOUT,
    PROBED,
    SMALLEST,
    WINDOW,
    SendWindow,
)
from pdsno_cli.nib.offsets import START, Offset


def sent(count: int) -> SendWindow:
    window = SendWindow(START)
    for seq in range(1, count + 1):
        window.sent = Offset(1, seq)
        window.unacked.append(window.sent)
    return window


def test_room_is_what_the_window_leaves():
    assert SendWindow(START).room == WINDOW
    assert sent(WINDOW).room == 0


def test_acknowledge_is_cumulative():
    window = sent(10)
    window.stalled_since = 1.0
    window.acknowledge(Offset(1, 7))
    assert list(window.unacked) == [Offset(1, seq) for seq in (8, 9, 10)]
    assert (window.acked, window.unflushed, window.stalled_since) == (Offset(1, 7), True, None)


def test_lose_shrinks_the_window_which_doubles_up_to_half_and_then_grows_slowly():
    window = sent(WINDOW)
    window.lose()
    assert (window.size, window.threshold) == (SMALLEST, WINDOW / 2)
    window.acknowledge(Offset(1, 90))
    assert window.size == SMALLEST + 90
    window.acknowledge(Offset(1, 190))
    assert WINDOW / 2 < window.size < WINDOW / 2 + 2
    for seq in range(191, WINDOW + 1):
        window.acknowledge(Offset(1, seq))
    assert window.size <= WINDOW


def test_back_off_waits_longer_each_time_up_to_a_bound_and_a_reply_ends_that():
    window, before = sent(1), 0.0
    for tries in range(1, 8):
        window.back_off()
        ceiling = min(LONGEST_TIMEOUT, FIRST_TIMEOUT * 2**tries)
        assert ceiling * 0.75 - 1 <= window.timeout <= ceiling * 1.25 + 1
        before = max(before, window.timeout)
    window.restart_timer()
    assert window.timeouts == 0
    assert window.timeout <= FIRST_TIMEOUT * 1.25 + 1 < before


@pytest.mark.parametrize(
    ("unacked", "recovering", "timeouts", "doubt"),
    [
        (WINDOW, False, 0, True),  # full: nothing follows that would show a loss
        (3, True, 0, True),
        (3, False, 0, False),
        (0, True, 0, False),
        (WINDOW, False, PROBED, False),  # the receiver is away
    ],
)
def test_tail_in_doubt(unacked, recovering, timeouts, doubt):
    window = sent(unacked)
    window.recovering, window.timeouts = recovering, timeouts
    assert window.tail_in_doubt is doubt


def test_busy_while_a_message_is_unacknowledged_or_blocked():
    window = SendWindow(START)
    assert not window.busy
    window.blocked = True
    assert window.busy
    assert sent(1).busy
