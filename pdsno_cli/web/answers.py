"""Documents as HTTP answers: JSON with its hash, and a sentence with a status for what failed."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import PdsnoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

FORMAT_VERSION = 1
NOT_FOUND, UNAVAILABLE, BROKEN = 404, 503, 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer; ``etag`` does not cover the time at which it was read."""

    status: int
    etag: str
    body: bytes


def answer(name: str, read: Callable[[], dict[str, Any]]) -> Answer:
    """Return the document that ``read`` returns, of the topology ``name``; a failure is a sentence.

    404 for what is not there, 503 for what may be there later.
    """
    try:
        return _encoded(200, name, read())
    except UsageError as exc:
        return failure(name, NOT_FOUND, str(exc))
    except PdsnoError as exc:
        return failure(name, UNAVAILABLE, str(exc))
    except OSError as exc:  # of the state directory: another user's, a full table of files
        where = "" if exc.filename is None else f"{exc.filename}: "
        return failure(name, UNAVAILABLE, f"{where}{exc.strerror or exc}")
    except Exception as exc:
        log.exception("a reading failed")
        text = f"{type(exc).__name__}: {exc}; this is a bug in pdsno, please report it"
        return failure(name, BROKEN, text)


def failure(name: str, status: int, text: str) -> Answer:
    """Return a sentence that says what failed."""
    return _encoded(status, name, {"error": text})


def _encoded(status: int, name: str, members: dict[str, Any]) -> Answer:
    text = json.dumps(members, separators=(",", ":"))
    etag = hashlib.sha256(text.encode()).hexdigest()[:16]
    head = {"format_version": FORMAT_VERSION, "topology": name, "read_at": round(time.time(), 3)}
    whole = f"{json.dumps(head)[:-1]},{text[1:]}"
    return Answer(status, f'"{etag}"', whole.encode())
