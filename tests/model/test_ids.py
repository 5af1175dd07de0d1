"""Identifiers and timestamps of messages."""

from __future__ import annotations

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.model.ids import RANDOM_BYTES, random_bytes, timestamp, uuid7

YEAR_2200 = 7_258_118_400_000  # in ms, beyond which floats no longer tell microseconds apart


def test_uuid7_is_of_version_7_and_of_now():
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(uuid7())
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_random_bytes_never_repeat_across_threads_and_processes():
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda _: random_bytes(), range(20_000)))
    assert len(set(drawn)) == len(drawn)
    assert {len(item) for item in drawn} == {RANDOM_BYTES}


def test_a_forked_child_draws_others_than_its_parent():
    random_bytes()  # so that there are some left for both
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"".join(random_bytes() for _ in range(100)))
        os._exit(0)
    ours = {random_bytes() for _ in range(100)}
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        os.close(writer)
        theirs = pipe.read()
    assert len(theirs) == 100 * RANDOM_BYTES
    assert not any(item in theirs for item in ours)


@given(st.integers(0, YEAR_2200))
def test_a_timestamp_reads_as_the_millisecond_it_was_made_of(ms):
    text = timestamp(ms / 1000)
    assert (len(text), text[-1]) == (24, "Z")
    assert round(datetime.fromisoformat(text).timestamp() * 1000) == ms


def test_a_timestamp_of_now_is_of_now():
    before = time.time() - 0.001
    assert before <= datetime.fromisoformat(timestamp()).timestamp() <= time.time()
    assert datetime.fromisoformat(timestamp()).tzinfo == UTC
