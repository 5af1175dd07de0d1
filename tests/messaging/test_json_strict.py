"""JSON that lenient decoders accept and I-JSON (RFC 7493) forbids."""

from __future__ import annotations

import pytest

from pdsno_cli.messaging import json_strict


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": [{"b": 1, "b": 1}]}',
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5_000,
        b"NaN",
        b"-Infinity",
        b'"\xff"',
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_check_refuses_what_is_not_interoperable(data):
    with pytest.raises((ValueError, RecursionError)):
        json_strict.check(data)


@pytest.mark.parametrize(
    "data", [b'{"a": 1, "b": {"a": 2}}', b"9007199254740991", b'"\xc3\xa9"', b"1e3"]
)
def test_check_accepts_the_rest(data):
    json_strict.check(data)
