"""Runs every controller, and the lab, as a process of its own, forked by a fork server."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.model.transports import TRANSPORTS
from pdsno_cli.runtime.child import EXIT_LATER, LAB, Job
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.runtime.supervisor_pipe import decode_notice
from pdsno_cli.spec.resolved import encode
from pdsno_cli.supervisor.backoff import restart_delay
from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
from pdsno_cli.supervisor.child import MAX_FAILURES
from pdsno_cli.supervisor.faults import Faults
from pdsno_cli.supervisor.lab_line import LabLine
from pdsno_cli.supervisor.partition import Partition
from pdsno_cli.supervisor.report import BrokerStatus
from pdsno_cli.supervisor.retained import clear_retained
from pdsno_cli.supervisor.runner import broker_fallback
from pdsno_cli.supervisor.spawner import Spawner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.resolved import Environment
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.control import Operation
    from pdsno_cli.supervisor.runner import RunnerListener

_MAX_UNUSED = 2  # fork servers in a row that end before they serve


class ProcessRunner:
    """Implements ``runner.Runner`` with processes, and ``spawner.SpawnListener`` for their events."""

    def __init__(
        self, topology: Topology, state: StateDir, key: bytes, announce: Callable[[str], None]
    ) -> None:
        self._topology = topology
        self._state = state
        self._key = key
        self._announce = announce
        self._listener: RunnerListener  # from ``open`` on
        self._broker = BrokerSupervisor(
            topology, key, announce, fallback=broker_fallback(topology, within_process=False)
        )
        self._spawner = Spawner(topology, state, self)
        self._before_lab: list[str] | None = []  # controllers to start once the lab answers
        self._sources = own_addresses(topology, state)
        self._partition = Partition(self._sources, announce)
        self._losses = 0  # of fork servers, since a controller was ready
        self._stopping = False
        self._environment: Environment = {}

    @property
    def broker(self) -> BrokerStatus:
        """The embedded or the declared broker."""
        endpoint = self._broker.endpoint
        return BrokerStatus(
            text=self._broker.text,
            port=self._broker.access.addresses[0].port,
            port_311=None if endpoint is None else endpoint.port_311,
            port_5=None if endpoint is None else endpoint.port_5,
            state=self._broker.state,
        )

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Fault injection, and changes of the lab."""
        return {
            "fault": self._faults.begin,
            "fault_age": lambda request: self._faults.age(request["token"]),
            "lift": lambda request: self._faults.lift(request["token"]),
            "lab": self._ask_lab,
        }

    async def prepare(self, topology: Topology, environment: Environment) -> None:
        """Give the fork server another job, and change the lab."""
        before, self._topology = self._topology, topology
        found = own_addresses(topology, self._state)
        for name in (*self._sources,):
            if name not in found:
                del self._sources[name]
        for name, address in found.items():
            self._sources.setdefault(name, address)
        self._faults.controllers = frozenset(topology.controllers)
        self._environment = environment
        self._set_job()
        if topology.lab is not None and before.lab is None:
            self._lab.expect_start()
            self._listener.requested(LAB)
        elif topology.lab is not None:
            await self._lab.ask(
                {
                    "change": "replan",
                    "topology": encode(topology).decode(),
                    "environment": environment,
                }
            )

    def reconfigure(self, name: str, order: bytes) -> None:
        """Write an order to a child's socket."""
        self._spawner.send(name, order)

    async def clear(self, topics: Collection[str]) -> None:
        """Connect to the broker once, on a thread."""
        facts = [
            item for item in TRANSPORTS if item.needs_broker and self._topology.uses(item.name)
        ]
        if topics and facts:
            await asyncio.to_thread(clear_retained, self._topology, self._broker.access, topics)

    async def open(self, listener: RunnerListener) -> None:
        """Start fork server and broker, then request the lab; controllers wait for the lab."""
        self._listener = listener
        self._lab = LabLine(self._spawner.send, ready=self._lab_ready, failed=listener.failed)
        self._faults = Faults(
            controllers=self._topology.controllers,
            broker=self._broker,
            spawner=self._spawner,
            partition=self._partition,
            restart=listener.requested,
            state_of=lambda name: listener.board.rows[name].state,
            announce=self._announce,
        )
        self._broker.all_connected = listener.board.all_on_broker
        self._spawner.start()  # it imports while the broker starts
        self._partition.mend_all()
        await self._broker.start()
        self._set_job()
        if self._topology.lab is None:
            self._lab_ready()
        else:
            listener.requested(LAB)

    def _set_job(self) -> None:
        self._spawner.set_job(
            Job(
                topology=self._topology,
                state=self._state,
                key=self._key,
                broker=self._broker.access,
                sources=dict(self._sources),
                environment=self._environment,
            )
        )

    def start(self, name: str) -> None:
        """Have the fork server fork a child."""
        if name != LAB and self._before_lab is not None:
            self._before_lab.append(name)
        else:
            self._spawner.spawn(name)

    def stop(self, name: str) -> None:
        """Send SIGTERM to a child; one that is not yet forked is not forked any more."""
        if self._listener.stopping:
            self._begin_stop()
        else:
            self._faults.end_of(name)
        if self._before_lab is not None and name in self._before_lab:
            self._before_lab.remove(name)
            self.ended(name, None)
        elif self._spawner.withdraw(name):
            self.ended(name, None)
        else:
            self._spawner.signal(name, signal.SIGTERM)
            self._spawner.signal(name, signal.SIGCONT)  # it may be stopped by SIGSTOP

    def kill(self, name: str | None = None) -> bool:
        """Send SIGKILL to a child, or to all of them, the fork server and the broker."""
        if name is not None:
            return self._spawner.signal(name, signal.SIGKILL)
        self._partition.mend_all()
        self._spawner.kill()
        self._broker.kill()
        return True

    async def close(self) -> None:
        """End fork server and broker."""
        self._begin_stop()
        await self._spawner.close()
        await self._broker.stop()

    # The spawner calls these.

    def started(self, name: str, pid: int) -> None:
        """Pass on that a child runs."""
        self._listener.started(name, pid)

    def not_started(self, name: str, reason: str) -> None:
        """Pass on that a child could not be forked, which may pass."""
        self.ended(name, EXIT_LATER, reason=f"cannot be started: {reason}")

    def received(self, name: str, line: bytes) -> None:
        """Handle one line of a child: the lab's answer, or a controller's notice."""
        if name == LAB:
            self._lab.receive(line)
            return
        notice = decode_notice(line)
        if isinstance(notice, StateNotice) and notice.state == "ready":
            self._losses = 0
        self._listener.noticed(notice)

    def ended(self, name: str, status: int | None, *, reason: str | None = None) -> None:
        """Pass on that a child ended, and whether a fault holds it."""
        held = self._faults.ended(name)
        self._listener.ended(name, status, reason=reason, held=held)

    def lost(self, reason: str, *, served: bool) -> None:
        """Start another fork server, unless it ends each time."""
        self._losses += 1
        if self._stopping:
            return
        if self._losses >= (MAX_FAILURES if served else _MAX_UNUSED):
            self._listener.failed(f"the fork server ends each time it is started: {reason}")
            return
        asyncio.get_running_loop().call_later(restart_delay(self._losses), self._start_spawner)
        self._announce(f"the fork server is gone ({reason}); starting another")

    def _start_spawner(self) -> None:
        if not self._stopping:
            try:
                self._spawner.start()
            except (OperationError, OSError) as exc:
                self._listener.failed(f"the fork server cannot be started again: {exc}")

    def _begin_stop(self) -> None:
        """Lift every fault and continue what SIGSTOP stopped, so that it can stop in order."""
        if not self._stopping:
            self._stopping = True
            self._faults.close()
            self._broker.signal(signal.SIGCONT)
            self._spawner.wake()

    def _lab_ready(self) -> None:
        """Start the controllers that waited for the lab."""
        waiting, self._before_lab = self._before_lab, None
        for name in waiting or ():
            self._spawner.spawn(name)

    async def _ask_lab(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._topology.lab is None:
            raise OperationError("this topology has no lab")
        return await self._lab.ask(request)
