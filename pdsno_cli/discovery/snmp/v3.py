"""Runs the readings of agents that speak SNMPv3 (RFC 3414), with a user, through pysnmp.

The readings are those that ``conversations`` runs for v2c. pysnmp is imported when a user is tried.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from pdsno_cli.discovery.snmp.ber import RawResponse, Value, read_items, read_oid
from pdsno_cli.discovery.snmp.ber_write import GET, GET_BULK, write_oid
from pdsno_cli.discovery.snmp.details.exchange import Request, Result, Task
from pdsno_cli.model.address_numbers import is_ipv6
from pdsno_cli.model.usm import AUTH, PRIVACY

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from pdsno_cli.spec.topology import Credential, Snmp

WINDOW = 32  # agents asked at the same time
RATE = 2000.0  # requests a second
_CANCEL_POLL = 0.05  # seconds

# Error indications of pysnmp that say that the engine refuses the user.
_REFUSED = frozenset(
    {
        "WrongDigest",
        "UnknownUserName",
        "UnknownSecurityName",
        "UnsupportedSecurityLevel",
        "AuthenticationError",
        "AuthenticationFailure",
        "DecryptionError",
    }
)


@dataclass(slots=True)
class Outcome(Generic[Result]):
    """The result of each task that ended, and the addresses whose engines ``refused`` the user."""

    results: dict[str, Result] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


class _RefusedError(Exception):
    """The engine refuses the user."""


def run(
    tasks: Iterable[tuple[str, Task[Result]]],
    credential: Credential,
    cancel: threading.Event,
    *,
    port: int,
    timeout: float,
    retries: int,
    until: float,
    rate: float = RATE,
) -> Outcome[Result]:
    """Return the outcome of the tasks that end before ``until`` (monotonic).

    ``rate`` requests are sent a second, at most; pysnmp sends two more to an engine that is new to it.
    """
    outcome: Outcome[Result] = Outcome()
    session = _Session(credential, port=port, timeout=timeout, retries=retries, rate=rate)
    asyncio.run(_run(tasks, session, outcome, cancel, until))
    return outcome


async def _run(
    tasks: Iterable[tuple[str, Task[Result]]],
    session: _Session,
    outcome: Outcome[Result],
    cancel: threading.Event,
    until: float,
) -> None:
    # What a stranger sends may end in an exception in a callback of pysnmp: it costs that datagram.
    asyncio.get_running_loop().set_exception_handler(lambda _, __: None)
    window = asyncio.Semaphore(WINDOW)

    async def one(address: str, task: Task[Result]) -> None:
        async with window:
            try:
                outcome.results[address] = await session.converse(address, task)
            except _RefusedError:
                outcome.refused.add(address)

    running = [asyncio.create_task(one(address, task)) for address, task in tasks]
    try:
        while (
            any(not task.done() for task in running)
            and not cancel.is_set()
            and time.monotonic() < until
        ):
            await asyncio.wait(running, timeout=_CANCEL_POLL)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        session.close()
    for task in running:
        if not task.cancelled() and (problem := task.exception()) is not None:
            raise problem


def run_users(
    tasks: Iterable[tuple[str, Credential, Task[Result]]],
    settings: Snmp,
    cancel: threading.Event,
    *,
    until: float,
    rate: float = RATE,
) -> dict[str, Result]:
    """Return the results of the tasks that end before ``until``, each with the user of its agent."""
    users: dict[Credential, list[tuple[str, Task[Result]]]] = {}
    for address, credential, task in tasks:
        users.setdefault(credential, []).append((address, task))
    results: dict[str, Result] = {}
    for credential, items in users.items():
        results |= run(
            items,
            credential,
            cancel,
            port=settings.port,
            timeout=settings.timeout,
            retries=settings.retries,
            until=until,
            rate=rate,
        ).results
    return results


class _Session:
    """One user and pysnmp's engine."""

    def __init__(
        self, credential: Credential, *, port: int, timeout: float, retries: int, rate: float
    ) -> None:
        from pysnmp.error import PySnmpError  # type: ignore[import-untyped]
        from pysnmp.hlapi.v3arch import asyncio as api  # type: ignore[import-untyped]

        self._api: Any = api
        self._errors: type[Exception] = PySnmpError
        self._port, self._timeout, self._retries = port, timeout, retries
        self._pause, self._clear = 1.0 / rate, 0.0  # when the next request may go out
        keys: dict[str, Any] = {}
        if credential.auth is not None:
            keys["authKey"] = credential.auth.password
            keys["authProtocol"] = getattr(api, AUTH[credential.auth.protocol])
        if credential.privacy is not None:
            keys["privKey"] = credential.privacy.password
            keys["privProtocol"] = getattr(api, PRIVACY[credential.privacy.protocol])
        self._user = api.UsmUserData(credential.user, **keys)  # noqa: S509  # what is declared
        self._engine = api.SnmpEngine()

    def close(self) -> None:
        self._engine.close_dispatcher()

    async def converse(self, address: str, task: Task[Result]) -> Result:
        """Return the result of a task; _RefusedError if the engine refuses the user."""
        kind = self._api.Udp6TransportTarget if is_ipv6(address) else self._api.UdpTransportTarget
        target = await kind.create(
            (address, self._port), timeout=self._timeout, retries=self._retries
        )
        try:
            request = next(task)
            while True:
                request = task.send(await self._ask(target, request))
        except StopIteration as done:
            result: Result = done.value
            return result
        finally:
            task.close()

    async def _ask(self, target: Any, request: Request) -> RawResponse | None:
        api, now = self._api, time.monotonic()
        self._clear = max(self._clear, now) + self._pause
        await asyncio.sleep(self._clear - self._pause - now)
        names = [
            api.ObjectType(api.ObjectIdentity(read_oid(name) or (0, 0))) for name in request.names
        ]
        context = "" if request.vlan is None else f"vlan-{request.vlan}"
        common = (self._engine, self._user, target, api.ContextData(contextName=context.encode()))
        if request.kind == GET_BULK:
            call = api.bulk_cmd(*common, request.once, request.rows, *names, lookupMib=False)
        else:
            command = api.get_cmd if request.kind == GET else api.next_cmd
            call = command(*common, *names, lookupMib=False)
        try:
            problem, status, index, bindings = await call
        except self._errors:
            return None  # as if it were silent
        if problem:
            if type(problem).__name__ in _REFUSED:
                raise _RefusedError
            return None
        return RawResponse(
            0,
            int(status),
            int(index),
            [(write_oid(tuple(name)), _value(item)) for name, item in bindings],
        )


def _value(item: Any) -> Value:
    """Return a value of pysnmp as it was sent."""
    from pyasn1.codec.ber import encoder  # type: ignore[import-untyped]

    items = read_items(encoder.encode(item))
    return items[0] if items else Value(0, b"")
