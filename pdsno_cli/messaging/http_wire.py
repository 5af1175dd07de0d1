"""The HTTP bodies between controllers: batches of messages and their answers, within limits.

A message keeps its topic and its exact text, so that it is the same on every transport.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TypeVar

import msgspec

PATH = "/v1/messages"
MAX_MESSAGES = 200  # messages of one batch
BATCH_BYTES = 1_000_000  # of messages beyond which a batch is closed
WORTH_GZIP = 4_096  # bytes below which compression costs more than it saves
_PIECE = 65_536
Kind = TypeVar("Kind")
_LEVEL = 1  # messages are repetitive: higher levels gain little


class Item(msgspec.Struct, frozen=True):
    """One message: its topic, and its text byte for byte."""

    topic: str
    data: str


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request: messages in order, and the cursor of the last answer.

    ``sender`` polls for its messages; ``proof`` covers the ``nonce`` of the last answer.
    """

    messages: tuple[Item, ...]
    seen: str = ""
    sender: str = ""
    nonce: str = ""
    proof: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a batch, all of which is committed or refused.

    ``accepted`` counts the messages for this controller. ``messages`` are those queued for the
    sender, ``seen`` the cursor to confirm them in the next request; with ``more``, others are
    queued. ``links`` names the transports that the controller has up. ``nonce`` is for the sender's
    next request; ``proven`` is True if the proof of this one was valid.
    """

    controller: str
    accepted: int
    links: tuple[str, ...] = ()
    messages: tuple[Item, ...] = ()
    seen: str = ""
    more: bool = False
    nonce: str = ""
    proven: bool = False


class Fault(msgspec.Struct, frozen=True):
    """Why a request was refused, in one line."""

    error: str


class TooLargeError(Exception):
    """A body over its limit, compressed or inflated."""


encode = msgspec.json.Encoder().encode
_batch = msgspec.json.Decoder(Batch).decode
_answer = msgspec.json.Decoder(Answer).decode


def body_limit(max_payload: int) -> int:
    """Return the largest body in bytes: a batch and one message of ``max_payload``, escaped."""
    return 2 * (BATCH_BYTES + max_payload) + _PIECE


def decode_batch(body: bytes) -> Batch:
    """Return the batch in ``body``; ValueError, one line, if it is invalid."""
    return _decode(_batch, body)


def decode_answer(body: bytes) -> Answer:
    """Return the answer in ``body``; ValueError, one line, if it is invalid."""
    return _decode(_answer, body)


def _decode(decode: Callable[[bytes], Kind], body: bytes) -> Kind:
    try:
        return decode(body)
    except RecursionError as exc:
        raise ValueError("the body is nested too deeply") from exc
    except UnicodeDecodeError as exc:
        raise ValueError("the body is not UTF-8") from exc


class Inflater:
    """Collects a body piece by piece, inflating gzip; holds ``limit`` bytes at most."""

    def __init__(self, limit: int, *, gzip: bool) -> None:
        self._limit = limit
        self._gzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if gzip else None
        self._body = bytearray()
        self._received = 0

    def feed(self, piece: bytes) -> None:
        """Add one piece; TooLargeError over the limit, ValueError for invalid gzip."""
        self._received += len(piece)
        if self._received > self._limit:
            raise TooLargeError
        if self._gzip is None:
            self._body += piece
            return
        try:
            # One byte beyond the limit distinguishes a body over it from one that just fits.
            self._body += self._gzip.decompress(piece, self._limit + 1 - len(self._body))
        except zlib.error as exc:
            raise ValueError("the body is not gzip") from exc
        if len(self._body) > self._limit:
            raise TooLargeError

    def close(self) -> bytes:
        """Return the whole body; ValueError if it is truncated."""
        if self._gzip is not None and not self._gzip.eof:
            raise ValueError("the gzip body is truncated")
        return bytes(self._body)


def compress(body: bytes) -> bytes:
    """Return ``body`` as gzip."""
    return zlib.compress(body, _LEVEL, 16 + zlib.MAX_WBITS)
