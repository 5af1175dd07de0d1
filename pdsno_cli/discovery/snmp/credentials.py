"""Remembers which credential each device answered, how, and when a user may be tried on it again.

Memory lasts as long as the process. It holds secrets: nothing of it is logged or reported.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pdsno_cli.spec.topology import Credential

MAX_REMEMBERED = 65_536  # devices; those that answered least recently are forgotten first
FIRST_WAIT, LONGEST_WAIT = (
    300.0,
    21_600.0,
)  # seconds after an engine refused a user; doubled each time


class _Refusal(NamedTuple):
    times: int
    until: float  # on the monotonic clock


class CredentialMemory:
    """The credentials of the devices that a process has seen; used by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], Credential] = OrderedDict()
        self._refused: OrderedDict[tuple[str, int, Credential], _Refusal] = OrderedDict()
        self._slow: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, port: int) -> dict[str, Credential]:
        """Return the credential that each device at this port answered last."""
        with self._lock:
            return {key[0]: item for key, item in self._known.items() if key[1] == port}

    def learn(self, port: int, answered: Mapping[str, Credential]) -> None:
        """Remember which credential each device answered."""
        with self._lock:
            for address, credential in answered.items():
                self._known[address, port] = credential
                self._known.move_to_end((address, port))
                self._refused.pop((address, port, credential), None)
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def slow(self, port: int) -> frozenset[str]:
        """Return the agents at this port that answer GETNEXT and did not answer GETBULK."""
        with self._lock:
            return frozenset(address for address, own in self._slow if own == port)

    def learn_slow(self, port: int, addresses: Iterable[str]) -> None:
        """Remember agents that answer GETNEXT only."""
        with self._lock:
            for address in addresses:
                self._slow[address, port] = None
            while len(self._slow) > MAX_REMEMBERED:
                self._slow.popitem(last=False)

    def may_try(self, address: str, port: int, user: Credential) -> bool:
        """Return True unless an engine refused this user too short a time ago."""
        with self._lock:
            refusal = self._refused.get((address, port, user))
        return refusal is None or time.monotonic() >= refusal.until

    def refused(self, addresses: Iterable[str], port: int, user: Credential) -> None:
        """Note that engines refused a user: it is not tried there for minutes, then for hours."""
        now = time.monotonic()
        with self._lock:
            for address in addresses:
                key = (address, port, user)
                count = self._refused[key].times + 1 if key in self._refused else 1
                wait = min(FIRST_WAIT * 2 ** (count - 1), LONGEST_WAIT)
                self._refused[key] = _Refusal(count, now + wait)
                self._refused.move_to_end(key)
            while len(self._refused) > MAX_REMEMBERED:
                self._refused.popitem(last=False)
