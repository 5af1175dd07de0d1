from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pdsno_cli.system.interrupts import on_interrupt


@pytest.fixture
def restored():
    """Restore the handlers of the test run."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored")
def test_each_signal_calls_but_an_ignored_one_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def run():
        count = 0

        def act():
            nonlocal count
            count += 1

        on_interrupt(asyncio.get_running_loop(), act)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.05)
        return count

    assert asyncio.run(run()) == 2
