"""Runs one controller without a supervisor, as a service unit or a container does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError
from pdsno_cli.runtime.broker_access import broker_access
from pdsno_cli.runtime.child import Job, make_node, stop_on_signal
from pdsno_cli.runtime.gc_tuning import tune_gc
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.logs import log_to_stderr
from pdsno_cli.runtime.own_address import own_addresses
from pdsno_cli.system.process_title import set_process_title

if TYPE_CHECKING:
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


class NullWatcher:
    """Discards notices: without a supervisor, the log is all there is."""

    def notice(self, notice: Notice) -> None:
        """Discard the notice."""


def run_standalone(
    topology: Topology, state: StateDir, controller_id: str, port: int
) -> str | None:
    """Run the controller on the calling thread until it stops; return the reason if it failed.

    ``port`` is the port of a running topology's embedded broker, 0 if there is none. Raises
    BrokerError when the topology needs an embedded broker and ``port`` is 0.
    """
    log_to_stderr()
    set_process_title(topology.name, controller_id)
    state.make()
    if topology.broker.embedded and port == 0:
        raise BrokerError(
            "the broker of this topology is embedded in pdsno up, which is not running: "
            "start pdsno up, or declare an external broker (broker.host)"
        )
    job = Job(
        topology=topology,
        state=state,
        key=signing_key(topology, state),
        broker=broker_access(topology, embedded_port=port),
        sources=own_addresses(topology, state),
    )
    node = make_node(job, controller_id, NullWatcher())
    with state.lock(controller_id):
        stop_on_signal(node.stop)
        tune_gc()
        node.run()
    return node.fatal
