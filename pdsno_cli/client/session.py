"""Sessions of a command with a running topology, over its broker or its control socket.

``on_trouble`` is called with one line for each problem of the connection.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pdsno_cli.client.monitor import Visibility
    from pdsno_cli.client.operator import Operator
    from pdsno_cli.messaging.transport import Transport
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


_RETAINED = 2.0  # seconds for the broker to deliver the retained status of controllers


@contextmanager
def operator_session(
    topology: Topology,
    state: StateDir,
    filters: tuple[str, ...],
    on_trouble: Callable[[str], None],
) -> Iterator[Operator]:
    """Connect to a topology as its operator; raises UsageError when it is not up.

    It is up if its control socket answers, or, with a declared broker, if one of its controllers is
    online: controllers may run on other machines.
    """
    from pdsno_cli.runtime.broker_access import broker_access
    from pdsno_cli.runtime.mqtt_wiring import mqtt_transport
    from pdsno_cli.supervisor.bus_bridge import BusBridgeTransport

    port = _broker_port(topology, state)
    if port is None:
        filters = tuple(dict.fromkeys((*filters, topology.topics.status("+"))))
    if port == 0:
        transport: Transport = BusBridgeTransport(state.control, filters)
    else:
        access = broker_access(topology, embedded_port=port or 0)
        transport = mqtt_transport(topology, access, _name(), filters)
    with _connected(topology, state, transport, on_trouble) as operator:
        if port is None:
            _require_online(topology, operator)
        yield operator


@contextmanager
def listening_session(
    topology: Topology,
    state: StateDir,
    filters: tuple[str, ...],
    on_trouble: Callable[[str], None],
) -> Iterator[Operator]:
    """Connect to a declared broker, whether or not a controller is online."""
    from pdsno_cli.runtime.broker_access import broker_access
    from pdsno_cli.runtime.mqtt_wiring import mqtt_transport

    transport = mqtt_transport(topology, broker_access(topology), _name(), filters)
    with _connected(topology, state, transport, on_trouble) as operator:
        yield operator


@contextmanager
def monitor_session(
    topology: Topology,
    state: StateDir,
    filters: tuple[str, ...],
    on_trouble: Callable[[str], None],
) -> Iterator[tuple[Operator, Visibility]]:
    """Connect as a monitor; raises UsageError when an embedded broker is not up."""
    from pdsno_cli.client.monitor import Visibility
    from pdsno_cli.client.qos_probe import highest_delivered_qos
    from pdsno_cli.runtime.broker_access import broker_access
    from pdsno_cli.runtime.mqtt_wiring import watching_transport
    from pdsno_cli.supervisor.bus_bridge import BusBridgeTransport

    port = _broker_port(topology, state)
    if port == 0:
        transport: Transport = BusBridgeTransport(state.control, filters)
        visibility = Visibility(transport="bus", qos=True, retain=False)
    else:
        access = broker_access(topology, embedded_port=port or 0)
        transport, flags = watching_transport(topology, access, _name(), filters)
        # rumqttd drops the retain flag of a publication, and some brokers change its QoS.
        declared = not topology.broker.embedded
        highest = highest_delivered_qos(topology, access) if declared else None
        visibility = Visibility(
            transport="mqtt",
            qos=highest is not None,
            retain=declared and flags,
            highest=2 if highest is None else highest,
        )
    with _connected(topology, state, transport, on_trouble) as operator:
        yield operator, visibility


@contextmanager
def _connected(
    topology: Topology, state: StateDir, transport: Transport, on_trouble: Callable[[str], None]
) -> Iterator[Operator]:
    from pdsno_cli.client.operator import Operator
    from pdsno_cli.runtime.keys import signing_key

    if topology.signing_key is None and not state.key.exists():
        raise UsageError(f"there is no signing key in {state.root}: was {topology.name} up there?")
    key = signing_key(topology, state)
    operator = Operator(topology=topology, key=key, transport=transport, on_trouble=on_trouble)
    with operator.connected():
        yield operator


def _name() -> str:
    return f"operator-{os.urandom(6).hex()}"


def _broker_port(topology: Topology, state: StateDir) -> int | None:
    """Return the port of the run's broker, 0 for its bus, None if no run is on this machine."""
    from pdsno_cli.supervisor.control import ask

    try:
        port: int = ask(state.control, {"op": "status"})["broker_port"]
    except UsageError:
        if topology.broker.embedded:
            raise
        return None
    return port


def _require_online(topology: Topology, operator: Operator) -> None:
    from pdsno_cli.model.messages import Status

    seen = []
    for envelope in operator.messages(time.monotonic() + _RETAINED):
        seen.append(envelope)
        if isinstance(envelope.payload, Status) and envelope.payload.state != "death":
            operator.put_back(seen)
            return
    where = " or ".join(str(address) for address in topology.broker.addresses)
    raise UsageError(
        f"{topology.name} is not up: none of its controllers is online at broker {where}"
    )
