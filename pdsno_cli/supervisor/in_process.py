"""Runs a topology in one process: every controller a thread, the bus in place of embedded broker.

A broker that the topology declares is used, with the bus to fall back on.

The event loop on the main thread supervises. Controllers' threads hand it their notices.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from pdsno_cli.messaging.bus import Bus
from pdsno_cli.model.errors import OperationError, PdsnoError
from pdsno_cli.model.roles import Role
from pdsno_cli.runtime import collector
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.lab import change, plan_lab
from pdsno_cli.runtime.logs import log_to_file
from pdsno_cli.runtime.node import Node
from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
from pdsno_cli.supervisor.bus_bridge import conversation
from pdsno_cli.supervisor.control import ControlServer
from pdsno_cli.supervisor.progress import Progress
from pdsno_cli.supervisor.report import Broker, status_report
from pdsno_cli.supervisor.waiting import done_before
from pdsno_cli.system.interrupts import on_interrupt

if TYPE_CHECKING:
    from pdsno_cli.lab.server import Lab
    from pdsno_cli.messaging.failover import FailoverTransport
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.runtime.mqtt_wiring import BrokerAccess
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.control import Conversation
    from pdsno_cli.supervisor.observer import Observer

log = logging.getLogger(__name__)

BUS = "in-process bus"
_GRACE = 5.0  # seconds for one tier to stop


class InProcess:
    """One run of one topology in this process; the caller holds the state directory's lock."""

    def __init__(
        self,
        topology: Topology,
        state: StateDir,
        key: bytes,
        observer: Observer,
        *,
        cycles: int | None = None,
    ) -> None:
        self._topology = topology
        self._state = state
        self._key = key
        self._observer = observer
        self._progress = Progress(topology, observer, cycles)
        self.board = self._progress.board
        self._bus = Bus()
        self._access: BrokerAccess | None = None  # to a broker that runs by itself
        self._text = BUS
        self._nodes: dict[str, tuple[Node, threading.Thread]] = {}
        self._lab: Lab | None = None
        self._serving = threading.Event()  # set when the lab is to end
        self._stop = asyncio.Event()
        self._failure: str | None = None

    async def run(self) -> None:
        """Run until stopped, or until the cycles asked for are committed at the top.

        OperationError when a controller cannot go on.
        """
        self._loop = loop = asyncio.get_running_loop()
        log_to_file(self._state.log("in-process"))
        on_interrupt(loop, self._interrupt)
        control = ControlServer(self._state.control, self._answer)
        try:
            self._open_lab()
            if await done_before(self._stop, self._find_broker()):
                collector.spare()
                await control.start()
                self._observer.began(self.board, self._text)
                for name in self.board.rows:
                    self._start(name)
                await self._stop.wait()
        finally:
            for role in reversed(Role):
                await asyncio.to_thread(self._end, role)
            if self._lab is not None:
                self._serving.set()
                self._lab.close()
            await control.close()
        if self._failure is not None:
            raise OperationError(self._failure)

    async def _find_broker(self) -> None:
        """Look on the broker that the topology declares, where a class of topics may use it.

        BrokerError when it cannot be used, and nothing else is in the chain.
        """
        topology = self._topology
        if topology.broker.embedded or not topology.uses("mqtt"):
            return
        broker = BrokerSupervisor(
            topology,
            self._key,
            self._observer.said,
            fallback=f"the {BUS}" if topology.uses("bus") else None,
        )
        await broker.start()
        self._access = broker.access
        self._text = f"{broker.text}, then {BUS}" if topology.uses("bus") else broker.text

    def notice(self, notice: Notice) -> None:
        """Take a controller's notice, from its thread."""
        self._loop.call_soon_threadsafe(self._take, notice)

    def _interrupt(self) -> None:
        """The first time, stop in order; the second time, at once."""
        if self._stop.is_set():
            self._state.control.unlink(missing_ok=True)
            os._exit(130)
        self._stop.set()
        self._observer.said("stopping; Ctrl-C again ends everything at once")

    def _open_lab(self) -> None:
        self._lab = plan_lab(self._topology)
        if self._lab is not None:
            self._lab.open()
            self._serving.clear()
            threading.Thread(
                target=self._lab.serve, args=(self._serving,), name="lab", daemon=True
            ).start()

    def _start(self, name: str) -> None:
        node = Node(
            topology=self._topology,
            controller_id=name,
            key=self._key,
            store=self._state.store(name),
            connect=self._connect,
            watcher=self,
        )
        thread = threading.Thread(target=self._run, args=(name, node), name=name, daemon=True)
        self._nodes[name] = node, thread
        thread.start()

    def _connect(self, name: str, epoch: int) -> FailoverTransport:
        return failover_transport(
            name, epoch, topology=self._topology, key=self._key, bus=self._bus, access=self._access
        )

    def _run(self, name: str, node: Node) -> None:
        """Run one controller on its thread."""
        try:
            node.run()
            failure = node.fatal
        except PdsnoError as exc:
            failure = str(exc)
        except Exception as exc:
            log.exception("%s crashed", name)
            failure = f"crashed: {exc}"
        if failure is not None:
            self._loop.call_soon_threadsafe(self._fail, f"{name}: {failure}")

    def _fail(self, failure: str) -> None:
        self._failure = self._failure or failure
        self._stop.set()

    def _take(self, notice: Notice) -> None:
        self._progress.take(notice)
        if self._progress.done:
            self._stop.set()

    def _end(self, role: Role) -> None:
        """Stop the controllers of one tier."""
        tier = [self._nodes[row.controller_id] for row in self.board.rows.values()
                if row.role is role and row.controller_id in self._nodes]  # fmt: skip
        for node, _ in tier:
            node.stop()
        for _, thread in tier:
            thread.join(_GRACE)

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any] | Conversation:
        match request["op"]:
            case "status":
                return status_report(self._topology.name, self.board, Broker(text=self._text))
            case "stop":
                self._stop.set()
                return {"stopping": True}
            case "lab":
                return change(self._lab, request)
            case "join":
                return conversation(self._bus, tuple(request["filters"]))
            case "fault":
                raise OperationError(
                    "controllers and bus share one process here: there is none to harm; "
                    "drills need pdsno up without --in-process"
                )
            case other:
                raise OperationError(f"unknown request {other!r}")
