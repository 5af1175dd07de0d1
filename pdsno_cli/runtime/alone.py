"""Runs one controller by itself, as a service unit or a container does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError
from pdsno_cli.runtime import collector
from pdsno_cli.runtime.child import stop_on_signal
from pdsno_cli.runtime.failover_wiring import failover_transport
from pdsno_cli.runtime.keys import signing_key
from pdsno_cli.runtime.logs import log_to_stderr
from pdsno_cli.runtime.mqtt_wiring import broker_access
from pdsno_cli.runtime.node import Node
from pdsno_cli.runtime.own_address import own_addresses

if TYPE_CHECKING:
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


class Unwatched:
    """Watches nothing: the log tells it all."""

    def notice(self, notice: Notice) -> None:
        """Let it pass."""


def run_alone(topology: Topology, state: StateDir, controller_id: str, port: int) -> str | None:
    """Run the controller on the calling thread; return why it could not go on, None if stopped.

    ``port`` is where the embedded broker of a running topology listens, 0 if it does not.
    """
    log_to_stderr()
    state.make()
    if topology.broker.embedded and port == 0:
        raise BrokerError(
            "the broker of this topology is embedded in pdsno up, which does not run: "
            "start it, or declare a broker that runs by itself"
        )
    key = signing_key(topology, state)
    node = Node(
        topology=topology,
        controller_id=controller_id,
        key=key,
        store=state.store(controller_id),
        connect=partial(
            failover_transport,
            topology=topology,
            state=state,
            key=key,
            access=broker_access(topology, embedded_port=port),
            source=own_addresses(topology, state).get(controller_id),
        ),
        watcher=Unwatched(),
    )
    with state.lock(controller_id):
        stop_on_signal(node.stop)
        collector.spare()
        node.run()
    return node.fatal
