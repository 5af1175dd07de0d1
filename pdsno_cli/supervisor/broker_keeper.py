"""Keeps the broker of a run: starts and restarts the embedded one, probes a declared one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pdsno_cli.broker.embedded import EmbeddedBroker
from pdsno_cli.broker.probe import probe
from pdsno_cli.messaging.tls import context
from pdsno_cli.model.errors import BrokerError
from pdsno_cli.runtime.mqtt_wiring import broker_access
from pdsno_cli.supervisor.backoff import restart_delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.mqtt_wiring import BrokerAccess
    from pdsno_cli.spec.topology import Topology

_SETTLED = 30.0  # seconds of being up after which earlier ends are forgiven


class BrokerKeeper:
    """The broker of one run. Event-loop thread only, but for the embedded broker's own words.

    The embedded broker ends with the thread that started it, so it is started on the main one.
    """

    def __init__(self, topology: Topology, say: Callable[[str], None]) -> None:
        self._spec = topology.broker
        self._say = say
        self._access = broker_access(topology)
        self._embedded: EmbeddedBroker | None = None
        self._watch: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def access(self) -> BrokerAccess:
        """Where the broker is; an embedded one's port is known once it was started."""
        return self._access

    @property
    def text(self) -> str:
        """Say which broker this is, for people."""
        kind = "embedded broker" if self._spec.embedded else "broker"
        return f"{kind} on {self._access.host}:{self._access.port}"

    def start(self) -> None:
        """Start the embedded broker, or probe the declared one; BrokerError when it is not there."""
        access = self._access
        if not self._spec.embedded:
            probe(
                access.host,
                access.port,
                protocol=self._spec.protocol,
                username=access.username,
                password=access.password,
                tls=None if access.tls is None else context(access.tls),
            )
            return
        self._embedded = EmbeddedBroker(
            max_payload=self._spec.max_payload,
            port=self._spec.port,
            protocol=self._spec.protocol,
            warned=self._warned,
        )
        endpoint = self._embedded.start()
        self._access = replace(access, host=endpoint.host, port=endpoint.port)
        self._watch = self._loop.create_task(self._keep())

    def stop(self) -> None:
        """End the embedded broker, as wanted."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._embedded is not None:
            self._embedded.stop()

    def kill(self) -> None:
        """End the embedded broker at once."""
        if self._embedded is not None and self._embedded.process is not None:
            self._embedded.process.kill()

    def _warned(self, line: str) -> None:
        """Pass on what the broker says; on a thread of its own."""
        self._loop.call_soon_threadsafe(self._say, f"broker: {line}")

    async def _keep(self) -> None:
        """Start the broker again whenever it ends, however often that takes."""
        embedded, failures = self._embedded, 0
        assert embedded is not None
        while True:
            began = time.monotonic()
            process = embedded.process
            if process is not None:
                await asyncio.to_thread(process.wait)
                self._say(f"the broker ended with exit code {process.returncode}")
            failures = 1 if time.monotonic() - began > _SETTLED else failures + 1
            delay = restart_delay(failures)
            self._say(f"starting the broker again in {delay:.1f} s")
            await asyncio.sleep(delay)
            try:
                embedded.start()
            except BrokerError as exc:
                self._say(str(exc))
