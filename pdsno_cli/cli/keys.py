"""Reads single keys of a terminal without echoing them, and puts its modes back afterwards.

Only while this process is in the foreground of the terminal: in the background, asking it anything
would stop the process (SIGTTIN, SIGTTOU; termios(3)). Ctrl-C stays a signal.
"""

from __future__ import annotations

import atexit
import os
import select
import sys
import termios
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Key = Literal["up", "down", "page up", "page down", "home", "end"]

_WAIT = 0.5  # seconds in which an end is noticed
# What terminals send, in both modes of their cursor keys (ECMA-48, xterm).
_SEQUENCES: dict[bytes, Key] = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"k": "up",
    b"\x1b[B": "down", b"\x1bOB": "down", b"j": "down",
    b"\x1b[5~": "page up", b"\x1b[6~": "page down", b" ": "page down",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home", b"g": "home",
    b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end", b"G": "end",
}  # fmt: skip
_LONGEST = max(map(len, _SEQUENCES))


class Keys:
    """Calls ``pressed`` for each known key for as long as the context lasts, on a thread of its own."""

    def __init__(self, pressed: Callable[[Key], None]) -> None:
        self._pressed = pressed
        self._modes: list[Any] | None = None
        self._terminal = -1
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        with suppress(OSError, ValueError, AttributeError, termios.error):  # stdin may be closed
            self._terminal = sys.stdin.fileno()
            if self._in_front():
                modes = termios.tcgetattr(self._terminal)
                quiet = [*modes]
                quiet[3] = modes[3] & ~(termios.ECHO | termios.ICANON)
                termios.tcsetattr(self._terminal, termios.TCSANOW, quiet)
                self._modes = modes
                atexit.register(self._restore)
                threading.Thread(target=self._read, name="keys", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._restore()

    @property
    def active(self) -> bool:
        """Return True if keys are read."""
        return self._modes is not None

    def _in_front(self) -> bool:
        return os.isatty(self._terminal) and os.tcgetpgrp(self._terminal) == os.getpgrp()

    def _restore(self) -> None:
        modes, self._modes = self._modes, None
        if modes is not None:
            atexit.unregister(self._restore)
            with suppress(OSError, termios.error):
                if self._in_front():
                    termios.tcsetattr(self._terminal, termios.TCSANOW, modes)

    def _read(self) -> None:
        with suppress(OSError):  # the terminal is gone
            while not self._ended.is_set():
                if not select.select([self._terminal], [], [], _WAIT)[0]:
                    continue
                if not self._in_front():
                    self._ended.wait(_WAIT)
                    continue
                data = os.read(self._terminal, 1024)
                if not data:
                    return
                for key in keys_of(data):
                    self._pressed(key)


def keys_of(data: bytes) -> list[Key]:
    """Return the known keys in what a terminal sent; pure."""
    found: list[Key] = []
    at = 0
    while at < len(data):
        for length in range(_LONGEST, 0, -1):
            key = _SEQUENCES.get(data[at : at + length])
            if key is not None:
                found.append(key)
                at += length
                break
        else:
            at += 1
    return found
