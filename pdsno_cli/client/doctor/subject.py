"""What the doctor looks at: a topology, its state on this machine, and its run if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import PdsnoError

if TYPE_CHECKING:
    from pdsno_cli.runtime.broker_access import BrokerAccess
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_TIMEOUT = 2.0  # seconds for the supervisor to answer


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A topology and its state directory, which need not exist."""

    topology: Topology
    state: StateDir

    @cached_property
    def report(self) -> dict[str, Any] | None:
        """The status of the run on this machine; None where there is none."""
        from pdsno_cli.supervisor.control import ask

        try:
            return ask(self.state.control, {"op": "status"}, timeout=_TIMEOUT)
        except (PdsnoError, ValueError):
            return None

    @cached_property
    def access(self) -> BrokerAccess | None:
        """Where the broker is; None for an embedded one that does not run, or a run without any.

        OperationError when a secret is missing.
        """
        from pdsno_cli.runtime.broker_access import broker_access

        port: int | None = None if self.report is None else self.report["broker_port"]
        if port == 0 or (port is None and self.topology.broker.embedded):
            return None
        return broker_access(self.topology, embedded_port=port or 0)

    @property
    def no_broker(self) -> str:
        """Why there is no ``access``."""
        if self.report is None:
            return "the embedded broker runs only while the topology is up"
        return "this run uses no broker: it is in one process"
