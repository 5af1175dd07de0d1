"""Tries SNMP credentials in order on many addresses: the one that a device answered last comes first.

A wrong community is silence, so each further credential costs a round of tries on those that did not
answer. A user of SNMPv3 is tried only where an engine answers without one, and once a cycle.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pdsno_cli.discovery.pace import by_index
from pdsno_cli.discovery.probe import ProbeUnavailableError
from pdsno_cli.discovery.snmp.agents import RATE, Agents
from pdsno_cli.discovery.snmp.credentials import CredentialMemory
from pdsno_cli.discovery.snmp.system import (
    SYSTEM,
    SystemInfo,
    get_system,
    read_system,
    walk_macs,
)
from pdsno_cli.discovery.snmp.v3_hello import Report, hello, read_report
from pdsno_cli.discovery.udp import udp_sockets

if TYPE_CHECKING:
    import threading

    from pdsno_cli.discovery.progress import Progress
    from pdsno_cli.discovery.snmp.ber import Oid
    from pdsno_cli.spec.topology import Credential, Snmp

USER_SECONDS = 30.0  # of a cycle that a user of SNMPv3 may take


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptAgents:
    """The agents that answered, by address, with the credential each answered.

    ``refused`` answered in an earlier sweep and not now. ``stray`` and ``closed`` are those of
    ``Findings``.
    """

    found: dict[str, SystemInfo]
    refused: frozenset[str] = frozenset()
    stray: dict[str, dict[str, int]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()


def sweep_credentials(
    targets: Sequence[str],
    settings: Snmp,
    cancel: threading.Event,
    *,
    rate: float = RATE,
    patient: Container[str] | None = None,
    memory: CredentialMemory | None = None,
    more: Mapping[str, tuple[Oid, ...]] | None = None,
    progress: Progress | None = None,
) -> SweptAgents:
    """Return the system group and MAC of every agent among ``targets`` that answers a credential.

    ``more`` has the objects that the agent at an address is asked for beside the system group, some
    of ``MARKS``; ``patient`` are addresses as in ``Pace.patient``, ``progress`` is that of
    ``request_all``. Raises ProbeUnavailableError when there is no network.
    """
    memory = memory or CredentialMemory()
    with udp_sockets(targets) as sockets:
        agents = Agents(sockets, targets, settings)
        agents.patient = by_index(targets, patient)
        agents.progress = progress
        rounds = _Rounds(agents, targets, settings, cancel, memory)
        rounds.run(rate, more or {})
    found = {targets[index]: info for index, info in rounds.found.items()}
    refused: frozenset[str] = frozenset()
    if not cancel.is_set():
        known = {targets[index] for index in rounds.known}
        refused = frozenset(known - found.keys())
        answered = {a: info.credential for a, info in found.items() if info.credential is not None}
        memory.learn(settings.port, answered)
    closed = frozenset(targets[index] for index in agents.closed)
    return SweptAgents(found=found, refused=refused, stray=agents.stray, closed=closed)


class _Rounds:
    """One sweep; targets are indices.

    ``known`` has the credential that each answered last, ``own`` those that are tried first.
    """

    def __init__(
        self,
        agents: Agents,
        targets: Sequence[str],
        settings: Snmp,
        cancel: threading.Event,
        memory: CredentialMemory,
    ) -> None:
        self._agents, self._targets, self._settings = agents, targets, settings
        self._cancel, self._memory = cancel, memory
        self._greeted: set[int] = set()
        self._engines: set[int] = set()  # targets that speak SNMPv3
        self.found: dict[int, SystemInfo] = {}
        self.known = {
            index: credential
            for address, credential in memory.known(settings.port).items()
            if credential in settings.tried and (index := agents.index(address)) is not None
        }
        # One community is tried on everybody at the same time, known or not.
        alone = settings.tried[1:] == () and settings.tried[0].community is not None
        self.own: dict[int, Credential] = {} if alone else self.known

    def run(self, rate: float, more: Mapping[str, tuple[Oid, ...]]) -> None:
        """Try every credential."""
        tried = self._settings.tried
        if self.own:
            self._try_own(rate, more)
        for credential in tried:
            pending = self._pending(credential)
            if self._cancel.is_set() or not pending:
                continue
            if credential.community is None:
                self._try_user(credential, pending, rate, more)
            else:
                self._agents.community = credential.community.encode()
                self.found |= get_system(self._agents, pending, rate, self._cancel, more)
            self._keep(credential)
            if self._agents.sockets.error is not None and not self.found:
                raise ProbeUnavailableError(
                    f"no request could be sent: {self._agents.sockets.error}"
                )
        answered = tuple(i for i, info in self.found.items() if _has_community(info))
        port, slow = self._settings.port, self._memory.slow(self._settings.port)
        slow_ones = {index for index in answered if self._targets[index] in slow}
        macs = walk_macs(self._agents, answered, rate, self._cancel, slow_ones)
        self._memory.learn_slow(port, (self._targets[index] for index in slow_ones))
        for index, mac in macs.items():
            self.found[index] = replace(self.found[index], mac=mac)

    def _pending(self, credential: Credential) -> Sequence[int]:
        """Return the targets to try a credential on."""
        everyone = range(len(self._targets))
        if not (self.found or self._agents.closed or self.own):
            return everyone
        return [
            index
            for index in everyone
            if index not in self.found
            and index not in self._agents.closed
            and self.own.get(index) != credential
        ]

    def _try_own(self, rate: float, more: Mapping[str, tuple[Oid, ...]]) -> None:
        """Try on each device the credential that it answered last."""
        communities = {
            index: credential.community.encode()
            for index, credential in self.own.items()
            if credential.community is not None
        }
        self._agents.communities = dict(communities)
        self._ask(tuple(communities), rate, more)
        for index in self.found:
            self.found[index] = replace(self.found[index], credential=self.own[index])
        self._agents.communities = {i: communities[i] for i in self.found}
        for credential in self._settings.tried:
            if credential.user is not None:
                pending = [index for index, item in self.own.items() if item == credential]
                self._try_user(credential, pending, rate, more, again=True)
                self._keep(credential)

    def _ask(
        self, pending: Sequence[int], rate: float, more: Mapping[str, tuple[Oid, ...]]
    ) -> None:
        self.found |= get_system(self._agents, pending, rate, self._cancel, more)
        self._require_network()

    def _require_network(self) -> None:
        if self._agents.sockets.error is not None and not self.found:
            raise ProbeUnavailableError(f"no request could be sent: {self._agents.sockets.error}")

    def _keep(self, credential: Credential) -> None:
        """Note the credential of those that answered it just now."""
        for index, info in self.found.items():
            if info.credential is None:
                self.found[index] = replace(info, credential=credential)
                if credential.community is not None and len(self._settings.tried) > 1:
                    self._agents.communities[index] = credential.community.encode()

    def _try_user(
        self,
        user: Credential,
        pending: Sequence[int],
        rate: float,
        more: Mapping[str, tuple[Oid, ...]],
        *,
        again: bool = False,
    ) -> None:
        """Try a user on the targets that speak SNMPv3; one that answered before has its retries."""
        port = self._settings.port
        self._greet(pending, rate)
        addresses = {
            self._targets[index]: index
            for index in pending
            if index in self._engines and self._memory.may_try(self._targets[index], port, user)
        }
        if not addresses or self._cancel.is_set():
            return
        from pdsno_cli.discovery.snmp.v3 import run

        outcome = run(
            ((a, read_system(SYSTEM + more.get(a, ()))) for a in addresses),
            user,
            self._cancel,
            rate=rate,
            port=port,
            timeout=self._settings.timeout,
            retries=self._settings.retries if again else 0,
            until=time.monotonic() + USER_SECONDS,
        )
        self._memory.refused(outcome.refused, port, user)
        for address, info in outcome.results.items():
            if info is not None:
                self.found[addresses[address]] = info

    def _greet(self, pending: Sequence[int], rate: float) -> None:
        """Find out which targets speak SNMPv3, once each."""
        fresh = tuple(index for index in pending if index not in self._greeted)
        self._greeted.update(fresh)
        packet = hello()

        def accept(index: int, _: Report) -> None:
            self._engines.add(index)

        self._agents.request(
            fresh, lambda _: packet, accept, rate=rate, cancel=self._cancel, read=read_report
        )
        self._require_network()


def _has_community(info: SystemInfo) -> bool:
    return info.credential is not None and info.credential.community is not None
