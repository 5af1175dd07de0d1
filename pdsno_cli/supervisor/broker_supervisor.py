"""Supervises the broker of a run: starts and restarts the embedded one, probes a declared one."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from pdsno_cli.broker.embedded import EmbeddedBroker, Endpoint
from pdsno_cli.broker.probe import probe, probe_embedded
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.tls import context
from pdsno_cli.model.addresses import Address
from pdsno_cli.model.errors import BrokerError, UnreachableError
from pdsno_cli.model.notices import TransportState
from pdsno_cli.runtime.acl import publish_acl
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.supervisor.backoff import restart_delay
from pdsno_cli.supervisor.broker_check import check_broker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_OTHER_CLIENTS = 1_000  # of the embedded broker, beside the controllers
_PROBE_INTERVAL = 3.0  # seconds between two probes of the embedded broker
_PROBE_TIMEOUT = 2.0  # seconds
_MAX_FAILED_PROBES = 3  # in a row, with a controller not connected: then the broker is restarted
_STABLE = 30.0  # seconds of running after which earlier ends no longer count


class BrokerSupervisor:
    """The broker of one run. Event-loop thread only.

    ``fallback`` names the transport that carries while a declared broker is out of reach, None if
    there is none. The embedded broker ends with the thread that started it (PR_SET_PDEATHSIG): one
    that does nothing else and lives as long as this process.
    """

    def __init__(
        self,
        topology: Topology,
        key: bytes,
        announce: Callable[[str], None],
        *,
        fallback: str | None = None,
    ) -> None:
        self._topology = topology
        self._key = key
        self._spec = topology.broker
        self._fallback = fallback
        self._announce = announce
        self._access = broker_access(topology)
        self._embedded: EmbeddedBroker | None = None
        self._endpoint: Endpoint | None = None
        self._watch: asyncio.Task[None] | None = None
        self._probes: asyncio.Task[None] | None = None
        self._frozen = False  # by an injected fault
        self.all_connected: Callable[[], bool] = lambda: True
        self._loop = asyncio.get_running_loop()
        self._state: TransportState | None = None
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")

    @property
    def embedded(self) -> bool:
        """Return True if the broker is a process of this run."""
        return self._spec.embedded

    @property
    def access(self) -> BrokerAccess:
        """The broker's address and credentials; an embedded one's port is known once it has started."""
        return self._access

    @property
    def endpoint(self) -> Endpoint | None:
        """The ports of the embedded broker; None for a declared broker, and before a start."""
        return self._endpoint

    @property
    def text(self) -> str:
        """Kind and address of the broker, for people; in brackets the port of the other version."""
        kind = "embedded broker" if self._spec.embedded else "broker"
        text = f"{kind} on {', '.join(map(str, self._access.addresses))}"
        if self._endpoint is None:
            return text
        if self._spec.protocol == "5":
            return f"{text} (v3.1.1: {self._endpoint.port_311})"
        return f"{text} (v5: {self._endpoint.port_5})"

    @property
    def state(self) -> TransportState | None:
        """The state of the embedded broker's process; None for a declared broker, and before a start."""
        return self._state

    async def start(self) -> None:
        """Start the embedded broker, or probe the declared one.

        Raises BrokerError when it is unusable, and UnreachableError when it is out of reach and
        there is no ``fallback``. May be cancelled.
        """
        if not self._spec.embedded:
            try:
                await self._probe()
            except UnreachableError as exc:
                if self._fallback is None:
                    raise
                self._announce(f"{exc}; going on over {self._fallback}")
            return
        self._embedded = EmbeddedBroker(
            max_payload=self._spec.max_payload,
            port=self._spec.port,
            protocol=self._spec.protocol,
            files=_OTHER_CLIENTS + 2 * len(self._topology.controllers),
            root=self._topology.topics.root,
            name=self._topology.name,
            on_warning=self._warned,
        )
        endpoint = await self._loop.run_in_executor(self._thread, self._embedded.start)
        self._endpoint = endpoint
        self._access = replace(self._access, addresses=(Address(endpoint.host, endpoint.port),))
        self._state = TransportState(up=True, since=time.time())
        self._watch = self._loop.create_task(self._restart())
        self._probes = self._loop.create_task(self._probe_embedded())

    async def stop(self) -> None:
        """End the embedded broker."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._probes is not None:
            self._probes.cancel()
            self._probes = None
        if self._embedded is not None:
            self._embedded.give_up()
            await self._loop.run_in_executor(self._thread, self._embedded.stop)
        self._thread.shutdown(wait=False)

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to the embedded broker; return True if it runs."""
        process = None if self._embedded is None else self._embedded.process
        if process is None or process.poll() is not None:
            return False
        process.send_signal(number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            self._frozen = number == signal.SIGSTOP
        return True

    def suspend_restart(self) -> None:
        """Do not restart the embedded broker until ``resume_restart``."""
        self._allowed.clear()

    def resume_restart(self) -> None:
        """Restart the embedded broker if it has ended, and whenever it ends."""
        self._allowed.set()

    def kill(self) -> None:
        """Kill the embedded broker."""
        if self._embedded is not None:
            self._embedded.give_up()
            if self._embedded.process is not None:
                self._embedded.process.kill()

    async def _probe(self) -> None:
        """Probe each address until a broker answers.

        On a daemon thread, so that cancelling does not wait for a probe's timeout of seconds.
        """
        found: asyncio.Future[None] = self._loop.create_future()

        def finish(problem: Exception | None) -> None:
            if found.done():  # cancelled
                return
            if problem is None:
                found.set_result(None)
            else:
                found.set_exception(problem)

        def work() -> None:
            problem: Exception | None = None
            try:
                self._find()
            except Exception as exc:  # noqa: BLE001 - raised again by the future
                problem = exc
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(finish, problem)

        threading.Thread(target=work, name="probe", daemon=True).start()
        await found

    def _find(self) -> None:
        """Return once a usable broker answers at an address.

        Raises UnreachableError if no address answers, else BrokerError with the reason of each.
        """
        access = self._access
        tls = None if access.tls is None else context(access.tls)
        problems: list[BrokerError] = []
        for address in access.addresses:
            try:
                probe(
                    *address,
                    protocol=self._spec.protocol,
                    username=access.username,
                    password=access.password,
                    tls=tls,
                )
            except BrokerError as exc:
                problems.append(exc)
            else:
                self._check(replace(access, addresses=(address,)))
                return
        unreachable = all(isinstance(problem, UnreachableError) for problem in problems)
        raise (UnreachableError if unreachable else BrokerError)("; ".join(map(str, problems)))

    def _check(self, access: BrokerAccess) -> None:
        """Check that a run can work on this broker; raises OperationError if not."""
        topology = self._topology
        codec = Codec(self._key, topology.topics, self._spec.max_payload, publish_acl(topology))

        def announce(text: str) -> None:
            self._loop.call_soon_threadsafe(self._announce, text)

        check_broker(topology, access, codec, announce)

    def _warned(self, line: str) -> None:
        """Announce a warning of the broker; called on the thread that reads its output."""
        self._loop.call_soon_threadsafe(self._announce, f"broker: {line}")

    async def _probe_embedded(self) -> None:
        """Kill an embedded broker that runs but accepts no client, so that it is restarted.

        Its threads may end one by one, and a stopped process does not end at all. While every
        controller is connected it is left alone: it is only at its limit of clients.
        """
        failed = 0
        while True:
            await asyncio.sleep(_PROBE_INTERVAL)
            embedded, address = self._embedded, self._access.addresses[0]
            process = None if embedded is None else embedded.process
            if process is None or process.poll() is not None or self._frozen:
                failed = 0
                continue
            try:
                await asyncio.to_thread(
                    probe_embedded, *address, self._spec.protocol, timeout=_PROBE_TIMEOUT
                )
            except BrokerError as exc:
                failed = 0 if self.all_connected() or self._frozen else failed + 1
                if (
                    failed >= _MAX_FAILED_PROBES
                    and embedded is not None
                    and embedded.process is process
                ):
                    failed = 0
                    self._announce(f"{exc}; killing the broker, which accepts no client")
                    process.kill()
            else:
                failed = 0

    async def _restart(self) -> None:
        """Restart the broker whenever it ends."""
        embedded, failures = self._embedded, 0
        reason = ""
        assert embedded is not None
        while True:
            began = time.monotonic()
            process = embedded.process
            if process is not None:
                await asyncio.to_thread(process.wait)
                reason = f"the broker ended with exit code {process.returncode}"
                self._announce(reason)
            before = self._state
            since = before.since if before is not None and not before.up else time.time()
            self._state = TransportState(up=False, since=since, reason=reason)
            failures = 1 if time.monotonic() - began > _STABLE else failures + 1
            if self._allowed.is_set():
                delay = restart_delay(failures)
                self._announce(f"restarting the broker in {delay:.1f} s")
                self._state = structs.replace(self._state, next_try=time.time() + delay)
                await asyncio.sleep(delay)
            await self._allowed.wait()
            try:
                self._endpoint = await self._loop.run_in_executor(self._thread, embedded.start)
            except BrokerError as exc:
                reason = str(exc)
                self._announce(reason)
            else:
                self._state = TransportState(up=True, since=time.time())
