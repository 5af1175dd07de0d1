"""Runs every controller as a thread of this process, over the bus in place of an embedded broker.

A declared broker is used, with the bus as its fallback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.messaging.bus import Bus
from pdsno_cli.model.errors import OperationError, PdsnoError
from pdsno_cli.model.transports import TRANSPORTS
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.gc_tuning import tune_gc
from pdsno_cli.runtime.lab import change, plan_lab, replan
from pdsno_cli.runtime.logs import log_to_file
from pdsno_cli.runtime.node import Node
from pdsno_cli.runtime.stores import database_of
from pdsno_cli.runtime.supervisor_pipe import decode_order
from pdsno_cli.supervisor.broker_supervisor import BrokerSupervisor
from pdsno_cli.supervisor.bus_bridge import bridge
from pdsno_cli.supervisor.report import BrokerStatus
from pdsno_cli.supervisor.retained import clear_retained, empty_retained
from pdsno_cli.supervisor.runner import broker_fallback

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pdsno_cli.lab.server import Lab
    from pdsno_cli.messaging.failover import FailoverTransport
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.resolved import Environment
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.control import Operation
    from pdsno_cli.supervisor.runner import RunnerListener

log = logging.getLogger(__name__)

_BUS = "in-process bus"


class InProcessRunner:
    """Implements ``runner.Runner`` with threads, and is the watcher of their nodes."""

    def __init__(
        self, topology: Topology, state: StateDir, key: bytes, announce: Callable[[str], None]
    ) -> None:
        self._topology = topology
        self._state = state
        self._key = key
        self._announce = announce
        self._loop = asyncio.get_running_loop()
        self._listener: RunnerListener  # from ``open`` on
        self._bus = Bus()
        self._access: BrokerAccess | None = None  # to a declared broker
        self._nodes: dict[str, Node] = {}
        self._live: dict[str, LiveTopology] = {}
        self._lab: Lab | None = None
        self._lab_stop = threading.Event()
        self.broker = BrokerStatus(text=_BUS)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Access to the bus, and changes of the lab."""
        return {
            "join": lambda request: bridge(self._bus, tuple(request["filters"])),
            "lab": lambda request: change(self._lab, request),
            "fault": _refuse_fault,
        }

    async def open(self, listener: RunnerListener) -> None:
        """Serve the lab, and probe a declared broker."""
        self._listener = listener
        log_to_file(self._state.log("in-process"))
        self._open_lab()
        await self._find_broker()
        tune_gc()

    async def prepare(self, topology: Topology, environment: Environment) -> None:
        """Go by another topology from now on, and change the lab."""
        before, self._topology = self._topology, topology
        if topology.lab is None:
            self._end_lab()
        elif before.lab is None:
            self._open_lab()
        elif self._lab is not None:
            replan(self._lab, topology)

    def reconfigure(self, name: str, order: bytes) -> None:
        """Pass an order to a controller's thread."""
        self._nodes[name].reconfigure(decode_order(order))

    async def clear(self, topics: Collection[str]) -> None:
        """Clear the bus, and the declared broker where there is one."""
        for item in empty_retained(topics):
            self._bus.publish(item)
        if topics and self._access is not None:
            await asyncio.to_thread(clear_retained, self._topology, self._access, topics)

    def start(self, name: str) -> None:
        """Start a thread that runs one controller."""
        live = self._live[name] = LiveTopology(self._topology)
        node = self._nodes[name] = Node(
            topology=live,
            controller_id=name,
            key=self._key,
            store=database_of(self._topology, self._state, name),
            connect=self._connect,
            watcher=self,
        )
        threading.Thread(target=self._run, args=(name, node), name=name, daemon=True).start()
        self._listener.started(name, None)

    def stop(self, name: str) -> None:
        """Ask a controller's thread to end."""
        self._nodes[name].stop()

    def kill(self, name: str | None = None) -> bool:
        """End this process; a single thread cannot be killed."""
        if name is None:
            os._exit(130)
        return False

    async def close(self) -> None:
        """End the lab; threads that did not stop end with the process."""
        self._end_lab()

    def notice(self, notice: Notice) -> None:
        """Pass on a notice, from a controller's thread."""
        self._post(self._listener.noticed, notice)

    def _open_lab(self) -> None:
        self._lab = plan_lab(self._topology)
        if self._lab is not None:
            self._lab.open()
            self._lab_stop = threading.Event()
            threading.Thread(
                target=self._lab.serve, args=(self._lab_stop,), name="lab", daemon=True
            ).start()

    def _end_lab(self) -> None:
        if self._lab is not None:
            self._lab_stop.set()
            self._lab.close()
            self._lab = None

    async def _find_broker(self) -> None:
        """Probe the declared broker; raises BrokerError if it is unusable and has no fallback."""
        topology = self._topology
        if topology.broker.embedded or not any(
            facts.needs_broker and topology.uses(facts.name) for facts in TRANSPORTS
        ):
            return
        fallback = broker_fallback(topology, within_process=True)
        broker = BrokerSupervisor(topology, self._key, self._announce, fallback=fallback)
        await broker.start()
        self._access = broker.access
        text = broker.text if fallback is None else f"{broker.text}, then {_BUS}"
        self.broker = BrokerStatus(text=text)

    def _connect(self, name: str, epoch: int) -> FailoverTransport:
        return failover_transport(
            name,
            epoch,
            live=self._live[name],
            key=self._key,
            bus=self._bus,
            access=self._access,
        )

    def _run(self, name: str, node: Node) -> None:
        """Run one controller on its thread; a failure of one ends the run."""
        try:
            node.run()
            failure = node.fatal
        except PdsnoError as exc:
            failure = str(exc)
        except Exception as exc:
            log.exception("%s crashed", name)
            failure = f"crashed: {exc}"
        if failure is not None:
            self._post(self._listener.failed, f"{name}: {failure}")
        self._post(self._listener.ended, name, 0)

    def _post(self, call: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
            self._loop.call_soon_threadsafe(call, *arguments)


def _refuse_fault(_request: dict[str, Any]) -> dict[str, Any]:
    raise OperationError("faults need processes to act on: start the topology without --in-process")
