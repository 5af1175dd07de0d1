"""How controllers run: the seam between the supervisor and processes, or threads of one process.

What runs and when is the supervisor's decision, how it runs the runner's, and who watches is an
observer. Any runner fits::

    runner = ProcessRunner(topology, state, key, observer.on_message)
    supervisor = Supervisor(topology, state, observer, runner)
    await supervisor.run()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pdsno_cli.model.transports import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pdsno_cli.model.notices import Notice
    from pdsno_cli.spec.resolved import Environment
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.control import Operation
    from pdsno_cli.supervisor.report import BrokerStatus


class RunnerListener(Protocol):
    """The supervisor, as a runner sees it. Event-loop thread only."""

    board: Board

    @property
    def stopping(self) -> bool:
        """Whether the whole run stops; else a child that is stopped is stopped alone."""

    def requested(self, name: str) -> None:
        """A child, such as the lab, has to run: start it, unless it runs already."""

    def started(self, name: str, pid: int | None) -> None:
        """A child runs; ``pid`` is None where it shares this process."""

    def noticed(self, notice: Notice) -> None:
        """A controller sent a notice."""

    def ended(
        self, name: str, status: int | None, *, reason: str | None = None, held: bool = False
    ) -> None:
        """A child ended, or could not be started.

        ``status`` is an exit code, minus a signal, or None for a child lost with the fork server;
        ``reason`` replaces its description. A child that is ``held`` stays away until
        ``requested``.
        """

    def failed(self, reason: str) -> None:
        """The run cannot go on."""


class Runner(Protocol):
    """Runs the controllers of one topology. Event-loop thread only."""

    @property
    def broker(self) -> BrokerStatus:
        """The broker that the controllers use; complete once ``open`` has returned."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The requests of the control socket that the runner answers, by name; after ``open``."""

    async def open(self, listener: RunnerListener) -> None:
        """Start what controllers need: broker, lab, fork server. Raises OperationError."""

    def start(self, name: str) -> None:
        """Start a child; ``listener.started`` or ``listener.ended`` follows."""

    def stop(self, name: str) -> None:
        """Ask a child to stop, or do not start it; ``listener.ended`` follows."""

    def kill(self, name: str | None = None) -> bool:
        """Kill a child, or everything; return False where that is impossible."""

    async def close(self) -> None:
        """End what ``open`` started, and any child that is left."""


class ConvergingRunner(Runner, Protocol):
    """A runner whose run can be changed while it goes on. Event-loop thread only."""

    async def prepare(self, topology: Topology, environment: Environment) -> None:
        """Have what starts from now on go by ``topology``, and change the lab.

        Raises OperationError when the lab cannot be as it declares.
        """

    def reconfigure(self, name: str, order: bytes) -> None:
        """Pass an order (``supervisor_pipe.encode_order``) to a controller that runs."""

    async def clear(self, topics: Collection[str]) -> None:
        """Delete what is retained on topics, as far as the broker can be reached."""


def broker_fallback(topology: Topology, *, within_process: bool) -> str | None:
    """Return the transport that carries while the broker is out of reach; None if there is none."""
    return next(
        (
            facts.name
            for facts in TRANSPORTS
            if not facts.needs_broker
            and (facts.within_process if within_process else facts.between_processes)
            and topology.uses(facts.name)
        ),
        None,
    )
