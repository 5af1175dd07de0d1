"""Decides which devices' details are read in a cycle, reads them, and remembers when that was.

A device is read when it is new, after a reboot, when its system group, its interfaces or its
neighbours changed by its own account, and each ``interval``. Memory lasts as long as the process.
"""

from __future__ import annotations

import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery.snmp.ber import Oid
from pdsno_cli.discovery.snmp.details.conversations import RATE, converse
from pdsno_cli.discovery.snmp.details.detail import MARKS, Marks, Reading, read_detail
from pdsno_cli.discovery.snmp.details.exchange import Task
from pdsno_cli.model.address_numbers import address_number
from pdsno_cli.model.snmprec import parse_oid

if TYPE_CHECKING:
    from pdsno_cli.discovery.probe import Findings
    from pdsno_cli.discovery.snmp.system import SystemInfo
    from pdsno_cli.spec.topology import Snmp

BUDGET = 20.0  # seconds of a cycle that readings may take; the others are due in the next
AGAIN_CHANGED = 60.0  # least seconds between two readings because of a change: some change always
AGAIN_SILENT = 300.0  # seconds after which a device is read again whose agent fell silent
MAX_REMEMBERED = 65_536  # devices; those read least recently are forgotten first

_Said = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a device said of itself when it was read, its last uptime, and when it is due again.

    ``whole`` if its agent answered to the end once. ``cancel`` is that of the sweep in which it was
    read: the result of one that was cancelled is dropped, details and all.
    """

    said: _Said
    uptime: float | None
    marks: Marks
    read: float
    due: float
    whole: bool
    cancel: threading.Event


class DetailReader:
    """The details of the devices that a process has seen; used by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def marks(self, port: int) -> dict[str, tuple[Oid, ...]]:
        """Return the objects in which each device says when it changed, of those that serve some."""
        with self._lock:
            known = [(key[0], item.marks) for key, item in self._known.items() if key[1] == port]
        return {
            address: tuple(oid for oid, mark in zip(MARKS, marks, strict=True) if mark is not None)
            for address, marks in known
            if any(mark is not None for mark in marks)
        }

    def expire(self, addresses: Iterable[str], port: int) -> None:
        """Make these devices due at once."""
        with self._lock:
            for address in addresses:
                known = self._known.get((address, port))
                if known is not None:
                    self._known[address, port] = replace(known, due=0.0)

    def read(
        self,
        found: Mapping[str, SystemInfo],
        settings: Snmp,
        findings: Findings,
        cancel: threading.Event,
        *,
        rate: float | None = None,
    ) -> None:
        """Add the details of the agents in ``found`` that are due to ``findings``.

        ``rate`` requests are sent a second, at most, or those of ``conversations``.
        """
        if settings.details is None:
            return
        due = self._due(found, settings)
        if not due:
            return
        readings = _read(due, found, settings, findings, cancel, rate=rate or RATE)
        now = time.monotonic()
        with self._lock:
            for address, reading in readings.items():
                key = (address, settings.port)
                known = self._known.get(key)
                info = found[address]
                whole = known is not None and known.whole and known.said == _said(info)
                # What a silent agent left out is not gone: better the whole details of before.
                if reading.complete or not whole:
                    findings.details[address] = reading.detail
                wait = settings.details.interval
                if known is None:
                    # Devices that are new at the same time are not due at the same time again.
                    wait *= 0.5 + zlib.crc32(address.encode()) / 2**33
                if not reading.complete:
                    wait = min(wait, AGAIN_SILENT)
                self._known[key] = _Known(
                    said=_said(info),
                    uptime=info.uptime,
                    marks=reading.marks,
                    read=now,
                    due=now + wait,
                    whole=reading.complete or whole,
                    cancel=cancel,
                )
                self._known.move_to_end(key)
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def _due(self, found: Mapping[str, SystemInfo], settings: Snmp) -> list[str]:
        """Return the addresses to read, one of each device, the most urgent first."""
        assert settings.details is not None
        now = time.monotonic()
        due = []
        with self._lock:
            for address in _one_each(found):
                key, info = (address, settings.port), found[address]
                known = self._known.get(key)
                if known is None or known.said != _said(info) or known.cancel.is_set():
                    due.append((0.0, address))
                    continue
                if _changed(known, info, now) or now >= known.due:
                    due.append((known.due, address))
                self._known[key] = replace(known, uptime=info.uptime)
        return [address for _, address in sorted(due)]


def _said(info: SystemInfo) -> _Said:
    return info.sys_descr, info.sys_object_id, info.sys_name


def _one_each(found: Mapping[str, SystemInfo]) -> Iterable[str]:
    """Return one address of each device: agents with one MAC and the same system group are one."""
    first: dict[tuple[str | None, ...], str] = {}
    for address in sorted(found, key=address_number):
        info = found[address]
        own = (info.mac, *_said(info)) if info.mac and info.sys_name else (address,)
        first.setdefault(own, address)
    return first.values()


def _changed(known: _Known, info: SystemInfo, now: float) -> bool:
    """Return True if a device restarted, or says that its interfaces or neighbours changed."""
    if known.uptime is not None and info.uptime is not None and info.uptime < known.uptime:
        return True
    changed = any(
        before is not None and after is not None and before != after
        for before, after in zip(known.marks, info.marks, strict=True)
    )
    return changed and now - known.read >= AGAIN_CHANGED


def _read(
    due: Iterable[str],
    found: Mapping[str, SystemInfo],
    settings: Snmp,
    findings: Findings,
    cancel: threading.Event,
    *,
    rate: float,
) -> dict[str, Reading]:
    """Return the readings of the agents that are due, as far as there is time for them."""
    details, until = settings.details, time.monotonic() + BUDGET
    assert details is not None

    def task(address: str) -> Task[Reading]:
        assert details is not None
        return read_detail(details, parse_oid(found[address].sys_object_id or "") or ())

    users = [(address, user) for address in due if (user := found[address].user) is not None]
    communities = {
        address: (found[address].community or settings.community).encode()
        for address in due
        if found[address].user is None
    }
    tasks = ((address, task(address)) for address in communities)
    readings, stray = converse(tasks, communities, settings, cancel, until=until, rate=rate)
    findings.stray.update(stray)
    if users:
        from pdsno_cli.discovery.snmp.v3 import run_users

        of_users = ((address, credential, task(address)) for address, credential in users)
        readings |= run_users(of_users, settings, cancel, until=until, rate=rate)
    return readings
