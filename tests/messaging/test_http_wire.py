"""HTTP bodies within their limits."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdsno_cli.messaging.http_wire import (
    Batch,
    Inflater,
    Item,
    TooLargeError,
    compress,
    decode_answer,
    decode_batch,
    encode,
)


def inflate(pieces, limit: int, *, gzip: bool) -> bytes:
    made = Inflater(limit, gzip=gzip)
    for piece in pieces:
        made.feed(piece)
    return made.close()


@given(st.binary(max_size=2_000), st.integers(1, 500), st.booleans())
def test_inflater_reassembles_a_body_of_any_pieces(body, size, packed):
    sent = compress(body) if packed else body
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert inflate(pieces, max(len(body), len(sent)), gzip=packed) == body


def test_inflater_refuses_a_body_over_the_limit_before_and_after_inflation():
    with pytest.raises(TooLargeError):
        inflate([b"x" * 11], 10, gzip=False)
    with pytest.raises(TooLargeError):
        inflate([compress(b"x" * 100_000)], 50_000, gzip=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [(b"not gzip", "not gzip"), (gzip.compress(b"{}", mtime=0)[:-4], "truncated")],
    ids=["another format", "truncated"],
)
def test_inflater_names_what_is_wrong_with_gzip(body, words):
    with pytest.raises(ValueError, match=words):
        inflate([body], 1_000, gzip=True)


def test_batch_survives_the_wire_and_leaves_defaults_out():
    batch = Batch(messages=(Item("t", '{"a": "\u00e9"}'),))
    assert encode(batch) == '{"messages":[{"topic":"t","data":"{\\"a\\": \\"é\\"}"}]}'.encode()
    assert decode_batch(encode(batch)) == batch


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"messages": 1}', b'"\xff"', b'{"messages":' + b"[" * 100_000]
)
def test_invalid_body_is_a_value_error_of_one_line(body):
    for decode in (decode_batch, decode_answer):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            decode(body)
