"""Asks SNMP agents what their devices are, once for each device, and remembers the answer.

A device is asked again when its sysDescr, sysObjectID or sysName changes, after a reboot, and each
hour; one that did not answer every request, after five minutes. Until then it keeps the facts it had: good values
are never overwritten by nothing. Costs at most ``questions.MAX_DATAGRAMS`` requests a device, and retries.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery.identify.answers import Answers, Object, Oid
from pdsno_cli.discovery.identify.identity import identify, system_answers
from pdsno_cli.discovery.identify.questions import BRIDGE_ADDRESS, ENGINE_ID, MAX_DATAGRAMS
from pdsno_cli.discovery.mac import normalise_mac
from pdsno_cli.discovery.snmp.agents import RATE
from pdsno_cli.discovery.snmp.engine_id import engine_id
from pdsno_cli.discovery.snmp.questions import ask
from pdsno_cli.model.probes import IDENTITY, UNIQUE

if TYPE_CHECKING:
    from pdsno_cli.discovery.identify.facts import Fact
    from pdsno_cli.discovery.snmp.system import SystemInfo
    from pdsno_cli.spec.topology import Snmp

AGAIN = 3600.0  # seconds after which a device is asked again
AGAIN_SILENT = 300.0  # the same for one that did not answer every request
MAX_REMEMBERED = 65_536  # devices; those seen least recently are forgotten first


@dataclass(frozen=True, slots=True)
class _Known:
    """The facts of a device, what it said of itself, its last uptime, and when it was asked."""

    facts: Mapping[str, str]
    said: tuple[str | None, ...]
    uptime: float | None
    at: float
    complete: bool


# Descriptions and sysObjectIDs of an unknown device, and of the vendors that most networks have.
_FREQUENT = (
    ("", "1.3.6.1.4.1.99999.1"),
    ("Linux host 6.1.0 #1 SMP x86_64", "1.3.6.1.4.1.8072.3.2.10"),
    ("Cisco IOS Software, Version 15.2(7)E, RELEASE SOFTWARE", "1.3.6.1.4.1.9.1.1208"),
    ("HP J9729A Switch, revision WB.16.11.0012", "1.3.6.1.4.1.11.2.3.7.11.152"),
)


def warm_up() -> None:
    """Identify some devices, so that forked processes share tables and patterns."""
    for descr, object_id in _FREQUENT:
        identify(system_answers(descr, object_id))


class Identities:
    """The identities of the devices that a process has seen; used by several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self,
        found: Mapping[str, SystemInfo],
        settings: Snmp,
        cancel: threading.Event,
        *,
        rate: float = RATE,
    ) -> dict[str, dict[str, str]]:
        """Return the facts of each agent in ``found``, by its address; asks those that are new."""
        now = time.monotonic()
        known = {address: self._recall(address, settings.port, found[address]) for address in found}
        asked = [
            address
            for address, item in known.items()
            if item is None or _stale(item, found[address], now)
        ]
        objects, replies = (
            ask(asked, found, settings, cancel, rate) if asked else ({}, Counter[str]())
        )
        for address in asked:
            info, answered = found[address], objects.get(address)
            before = known[address]
            facts = _facts(info, answered or {})
            if before is not None:
                facts = {**facts, **before.facts} if answered is None else {**before.facts, **facts}
            complete = replies[address] == MAX_DATAGRAMS
            known[address] = _Known(facts, _said(info), info.uptime, now, complete)
        if not cancel.is_set():  # else some were not asked
            self._remember(known, found, settings.port)
        return {address: dict(item.facts) for address, item in known.items() if item is not None}

    def _remember(
        self, known: Mapping[str, _Known | None], found: Mapping[str, SystemInfo], port: int
    ) -> None:
        with self._lock:
            for address, item in known.items():
                if item is not None:
                    self._known[address, port] = replace(item, uptime=found[address].uptime)
                    self._known.move_to_end((address, port))
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)

    def _recall(self, address: str, port: int, info: SystemInfo) -> _Known | None:
        """Return what is known of a device, None if another one answers there now."""
        with self._lock:
            item = self._known.get((address, port))
        return item if item is not None and item.said == _said(info) else None


def _said(info: SystemInfo) -> tuple[str | None, ...]:
    return info.sys_descr, info.sys_object_id, info.sys_name


def _stale(item: _Known, info: SystemInfo, now: float) -> bool:
    """Return True if a device is to be asked again."""
    rebooted = item.uptime is not None and info.uptime is not None and info.uptime < item.uptime
    return rebooted or now - item.at >= (AGAIN if item.complete else AGAIN_SILENT)


def explain(
    address: str, info: SystemInfo, settings: Snmp, cancel: threading.Event
) -> dict[str, Fact]:
    """Ask one agent what its device is; return each fact with its evidence."""
    objects, _ = ask([address], {address: info}, settings, cancel, RATE)
    found = identify(_answers(info, objects.get(address, {})))
    return {field: found[field] for field in IDENTITY if field in found}


def _facts(info: SystemInfo, objects: Mapping[Oid, Object]) -> dict[str, str]:
    answers = _answers(info, objects)
    found = identify(answers)
    facts = {field: found[field].value for field in IDENTITY if field in found}
    unique = (
        engine_id(answers.octets(ENGINE_ID) or b""),
        normalise_mac((answers.octets(BRIDGE_ADDRESS) or b"").hex()),
    )
    return facts | {name: text for name, text in zip(UNIQUE, unique, strict=True) if text}


def _answers(info: SystemInfo, objects: Mapping[Oid, Object]) -> Answers:
    return system_answers(info.sys_descr, info.sys_object_id, objects)
