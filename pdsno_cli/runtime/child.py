"""The entry of a child process: one controller, or the lab, from job to exit code."""

from __future__ import annotations

import logging
import os
import signal
import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.delivery.live_topology import LiveTopology
from pdsno_cli.model.errors import DiskError, PdsnoError
from pdsno_cli.model.notices import StateNotice
from pdsno_cli.model.roles import Role
from pdsno_cli.model.targets import AddressSet
from pdsno_cli.model.transports import TRANSPORTS
from pdsno_cli.runtime.environment import set_environment
from pdsno_cli.runtime.gc_tuning import keep_imports
from pdsno_cli.runtime.logs import log_to_file
from pdsno_cli.runtime.supervisor_pipe import SupervisorPipe
from pdsno_cli.system.process_title import set_process_title

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from pdsno_cli.delivery.ports import Watcher
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.runtime.node import Node
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

log = logging.getLogger(__name__)

LAB = "lab"  # the name of the lab's process; a controller's is its id
EXIT_FAILED = 1  # permanent: a restart would fail the same way
EXIT_LATER = 75  # transient, such as a full disk (EX_TEMPFAIL of sysexits.h)
EXIT_CRASHED = 70  # an unexpected exception (EX_SOFTWARE of sysexits.h)
_LOCK_TIMEOUT = 5.0  # seconds to wait for a killed predecessor to release the controller's lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all children of one topology share."""

    topology: Topology
    state: StateDir
    key: bytes
    broker: BrokerAccess
    sources: Mapping[str, str]  # the loopback address of each controller that has one
    # The variables that secrets refer to, where they differ from those of this process.
    environment: Mapping[str, str | None] = field(default_factory=dict)


def import_all() -> None:
    """Import, before forking, what every child needs."""
    import encodings.idna  # for getaddrinfo

    from pdsno_cli.messaging import mqtt
    from pdsno_cli.runtime import failover_wiring, node

    del failover_wiring, encodings, mqtt, node


def preload(job: Job) -> None:
    """Import and warm up, before forking, what the children of this job need besides.

    Garbage collection may be disabled before, for the imports; it is enabled afterwards.
    """
    from pdsno_cli.discovery import sweep
    from pdsno_cli.runtime.transport_wiring import factory
    from pdsno_cli.runtime.warmup import warm_up

    # First, so that the heap they leave free is used up before the forks.
    for facts in TRANSPORTS:
        if facts.between_processes and job.topology.uses(facts.name):
            factory(facts).preload()
    locals_ = job.topology.of_role(Role.LOCAL)
    sweep.preload(
        {protocol for local in locals_ for protocol in local.discovery.protocols},
        AddressSet.of(target for local in locals_ for target in local.discovery.targets),
    )
    if job.topology.lab is not None:
        from pdsno_cli.lab import agent

        del agent
    keep_imports()
    warm_up(job.topology)


def run_child(job: Job, name: str, line: socket.socket) -> int:
    """Run the controller, or the lab, called ``name`` until it ends; return its exit code."""
    set_process_title(job.topology.name, name)
    set_environment(job.environment)
    try:
        log_to_file(job.state.log(name), output=True)
    except OSError:
        traceback.print_exc()  # to the fork server's log
        return EXIT_LATER
    pipe = None if name == LAB else SupervisorPipe(line)
    try:
        if pipe is None:
            from pdsno_cli.runtime.lab import run_lab

            run_lab(job.topology, line, stop_on_signal)
            return 0
        return run_controller(job, name, pipe)
    except PdsnoError as exc:
        log.error("%s", exc)  # noqa: TRY400 - a foreseen failure is one line
        if pipe is not None:
            pipe.notice(StateNotice(controller_id=name, state="failed", detail=str(exc)))
        return EXIT_LATER if isinstance(exc, DiskError) else EXIT_FAILED
    except Exception:
        log.exception("%s crashed", name)
        return EXIT_CRASHED


def run_controller(job: Job, controller_id: str, pipe: SupervisorPipe) -> int:
    """Run one controller on the calling thread, which must be the main one."""
    node = make_node(job, controller_id, pipe)
    pipe.listen(reconfigure=node.reconfigure, stop=node.stop)
    with job.state.lock(controller_id, patience=_LOCK_TIMEOUT):
        stop_on_signal(node.stop)
        node.run()
    return EXIT_FAILED if node.fatal else 0


def make_node(job: Job, controller_id: str, watcher: Watcher) -> Node:
    """Return the node of one controller that has a process of its own."""
    from pdsno_cli.runtime.failover_wiring import failover_transport
    from pdsno_cli.runtime.node import Node
    from pdsno_cli.runtime.stores import database_of

    live = LiveTopology(job.topology)
    return Node(
        topology=live,
        controller_id=controller_id,
        key=job.key,
        store=database_of(job.topology, job.state, controller_id),
        connect=partial(
            failover_transport,
            live=live,
            state=job.state,
            key=job.key,
            access=job.broker,
            source=job.sources.get(controller_id),
        ),
        watcher=watcher,
    )


def stop_on_signal(stop: Callable[[], None]) -> None:
    """Call ``stop`` at the first SIGTERM or SIGINT; exit with 130 at the second."""
    received = 0

    def handle(_number: int, _frame: object) -> None:
        nonlocal received
        received += 1
        if received > 1:
            os._exit(130)
        stop()

    signal.signal(signal.SIGTERM, handle)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
