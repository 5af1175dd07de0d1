"""One reading for all that ask, on threads that nobody waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pdsno_cli.web import shared
from pdsno_cli.web.shared import Shared, Threads


def test_all_that_ask_at_the_same_time_share_one_reading():
    calls, go = [], threading.Event()

    def read():
        calls.append(1)
        go.wait(10)
        return len(calls)

    async def main():
        reading = Shared(Threads(), read, keep=60)
        asked = [asyncio.create_task(reading.get()) for _ in range(20)]
        await asyncio.sleep(0)
        go.set()
        return [*await asyncio.gather(*asked), await reading.get()]

    assert asyncio.run(main()) == [1] * 21


def test_an_older_result_is_read_again():
    calls = []

    async def main():
        reading = Shared(Threads(), lambda: calls.append(1) or len(calls), keep=-1)
        return [await reading.get(), await reading.get()]

    assert asyncio.run(main()) == [1, 2]


def test_a_reading_that_takes_too_long_gives_the_result_before(monkeypatch):
    monkeypatch.setattr(shared, "SOON", 0.05)
    go, turns = threading.Event(), []

    def read():
        turns.append(1)
        if len(turns) > 1:
            go.wait(10)
        return len(turns)

    async def main():
        reading = Shared(Threads(), read, keep=-1)
        first, second = await reading.get(), await reading.get()
        go.set()
        return first, second

    assert asyncio.run(main()) == (1, 1)


def test_a_first_reading_that_takes_too_long_is_a_timeout(monkeypatch):
    monkeypatch.setattr(shared, "READ_WAIT", 0.05)
    go = threading.Event()

    async def main():
        with pytest.raises(TimeoutError):
            await Shared(Threads(), lambda: go.wait(10), keep=1).get()
        with pytest.raises(TimeoutError):
            await Threads().call(lambda: go.wait(10))
        go.set()

    asyncio.run(main())


def test_an_error_is_raised_where_it_is_awaited():
    def fail():
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        asyncio.run(_call(fail))


async def _call(function):
    return await Threads().call(function)
