"""Keeps the broker of a run: starts and restarts the embedded one, probes a declared one."""

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

from pdsno_cli.broker.embedded import EmbeddedBroker
from pdsno_cli.broker.probe import probe
from pdsno_cli.messaging.codec import Codec
from pdsno_cli.messaging.tls import context
from pdsno_cli.model.addresses import Address
from pdsno_cli.model.errors import BrokerError, UnreachableError
from pdsno_cli.model.notices import TransportState
from pdsno_cli.runtime.authority import entitled
from pdsno_cli.runtime.mqtt_wiring import broker_access
from pdsno_cli.supervisor.backoff import restart_delay
from pdsno_cli.supervisor.broker_check import check_broker

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.mqtt_wiring import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_STRANGERS = 1_000  # clients of the embedded broker beside the controllers
_PROBED = 3.0  # seconds between two looks at whether the embedded broker lets clients in
_ANSWER = 2.0  # seconds within which it does
_SILENT = 3  # looks in vain after which it is started again, where a controller is not on it
_SETTLED = 30.0  # seconds of being up after which earlier ends are forgiven


class BrokerSupervisor:
    """The broker of one run. Event-loop thread only, but for the embedded broker's own words.

    ``fallback`` is what carries while a declared broker is out of reach, None for nothing.

    The embedded broker ends with the thread that started it: one that does nothing else and lives
    as long as this process.
    """

    def __init__(
        self,
        topology: Topology,
        key: bytes,
        say: Callable[[str], None],
        *,
        fallback: str | None = None,
    ) -> None:
        self._topology = topology
        self._key = key
        self._spec = topology.broker
        self._fallback = fallback
        self._say = say
        self._access = broker_access(topology)
        self._embedded: EmbeddedBroker | None = None
        self._watch: asyncio.Task[None] | None = None
        self._probes: asyncio.Task[None] | None = None
        self._stopped = False  # by a drill
        self.all_on_it: Callable[[], bool] = lambda: True
        self._loop = asyncio.get_running_loop()
        self._state: TransportState | None = None
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")

    @property
    def ours(self) -> bool:
        """Whether the broker is a process of this run."""
        return self._spec.embedded

    @property
    def access(self) -> BrokerAccess:
        """Where the broker is; an embedded one's port is known once it was started."""
        return self._access

    @property
    def text(self) -> str:
        """Say which broker this is, for people."""
        kind = "embedded broker" if self._spec.embedded else "broker"
        return f"{kind} on {', '.join(map(str, self._access.addresses))}"

    @property
    def state(self) -> TransportState | None:
        """How the embedded broker's process is; None for a declared broker, and before it ran."""
        return self._state

    async def start(self) -> None:
        """Start the embedded broker, or probe the declared one.

        BrokerError when it cannot be used; one that is out of reach may be done without where there
        is a ``fallback``. To wait for either may be given up.
        """
        if not self._spec.embedded:
            try:
                await self._probe()
            except UnreachableError as exc:
                if self._fallback is None:
                    raise
                self._say(f"{exc}; going on over {self._fallback}")
            return
        self._embedded = EmbeddedBroker(
            max_payload=self._spec.max_payload,
            port=self._spec.port,
            protocol=self._spec.protocol,
            files=_STRANGERS + 2 * len(self._topology.controllers),
            root=self._topology.topics.root,
            warned=self._warned,
        )
        endpoint = await self._loop.run_in_executor(self._thread, self._embedded.start)
        self._access = replace(self._access, addresses=(Address(endpoint.host, endpoint.port),))
        self._state = TransportState(up=True, since=time.time())
        self._watch = self._loop.create_task(self._keep())
        self._probes = self._loop.create_task(self._probe_ours())

    async def stop(self) -> None:
        """End the embedded broker, as wanted."""
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
        """Send a signal to the embedded broker; whether it was there."""
        process = None if self._embedded is None else self._embedded.process
        if process is None or process.poll() is not None:
            return False
        process.send_signal(number)
        if number in (signal.SIGSTOP, signal.SIGCONT):
            self._stopped = number == signal.SIGSTOP
        return True

    def suspend_restart(self) -> None:
        """Do not restart the embedded broker until ``resume_restart``."""
        self._allowed.clear()

    def resume_restart(self) -> None:
        """Restart the embedded broker if it has ended, and whenever it ends."""
        self._allowed.set()

    def kill(self) -> None:
        """End the embedded broker at once."""
        if self._embedded is not None:
            self._embedded.give_up()
            if self._embedded.process is not None:
                self._embedded.process.kill()

    async def _probe(self) -> None:
        """Ask each address for the broker, until one has it.

        On a thread of its own that nobody waits for: a probe takes seconds where nothing answers.
        """
        found: asyncio.Future[None] = self._loop.create_future()

        def tell(problem: Exception | None) -> None:
            if found.done():  # given up
                return
            if problem is None:
                found.set_result(None)
            else:
                found.set_exception(problem)

        def work() -> None:
            problem: Exception | None = None
            try:
                self._find()
            except Exception as exc:  # noqa: BLE001 - raised again where it is waited for
                problem = exc
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(tell, problem)

        threading.Thread(target=work, name="probe", daemon=True).start()
        await found

    def _find(self) -> None:
        """Return once an address answers as it should; BrokerError says why none does.

        UnreachableError where nobody answers at any of them.
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
        nobody = all(isinstance(problem, UnreachableError) for problem in problems)
        raise (UnreachableError if nobody else BrokerError)("; ".join(map(str, problems)))

    def _check(self, access: BrokerAccess) -> None:
        """Look for what would keep the run from working; OperationError says what."""
        topology = self._topology
        codec = Codec(self._key, topology.topics, self._spec.max_payload, entitled(topology))

        def say(text: str) -> None:
            self._loop.call_soon_threadsafe(self._say, text)

        check_broker(topology, access, codec, say)

    def _warned(self, line: str) -> None:
        """Pass on what the broker says; on a thread of its own."""
        self._loop.call_soon_threadsafe(self._say, f"broker: {line}")

    async def _probe_ours(self) -> None:
        """End the embedded broker where it lives and lets nobody in, so that it is started again.

        Its threads may end one by one, and a stopped process does not end at all. Where every
        controller is connected it is left alone: it is full, and that passes.
        """
        vain = 0
        while True:
            await asyncio.sleep(_PROBED)
            embedded, address = self._embedded, self._access.addresses[0]
            process = None if embedded is None else embedded.process
            if process is None or process.poll() is not None or self._stopped:
                vain = 0
                continue
            try:
                await asyncio.to_thread(
                    probe, *address, protocol=self._spec.protocol, timeout=_ANSWER
                )
            except BrokerError as exc:
                vain = 0 if self.all_on_it() or self._stopped else vain + 1
                if vain >= _SILENT and embedded is not None and embedded.process is process:
                    vain = 0
                    self._say(f"{exc}; ending the broker, which lets nobody in")
                    process.kill()
            else:
                vain = 0

    async def _keep(self) -> None:
        """Start the broker again whenever it ends, however often that takes."""
        embedded, failures = self._embedded, 0
        reason = ""
        assert embedded is not None
        while True:
            began = time.monotonic()
            process = embedded.process
            if process is not None:
                await asyncio.to_thread(process.wait)
                reason = f"the broker ended with exit code {process.returncode}"
                self._say(reason)
            before = self._state
            since = before.since if before is not None and not before.up else time.time()
            self._state = TransportState(up=False, since=since, reason=reason)
            failures = 1 if time.monotonic() - began > _SETTLED else failures + 1
            if self._allowed.is_set():
                delay = restart_delay(failures)
                self._say(f"starting the broker again in {delay:.1f} s")
                self._state = structs.replace(self._state, next_try=time.time() + delay)
                await asyncio.sleep(delay)
            await self._allowed.wait()
            try:
                await self._loop.run_in_executor(self._thread, embedded.start)
            except BrokerError as exc:
                reason = str(exc)
                self._say(reason)
            else:
                self._state = TransportState(up=True, since=time.time())
