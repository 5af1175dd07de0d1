"""Where the broker of a topology is, and how to log in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdsno_cli.model.addresses import Address
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Tls, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccess:
    """Where the broker is and how to log in, every secret read."""

    addresses: tuple[Address, ...]
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None


def broker_access(topology: Topology, *, embedded_port: int = 0) -> BrokerAccess:
    """Return the access that a topology declares; OperationError when a secret is missing.

    ``embedded_port`` is where the embedded broker listens.
    """
    broker = topology.broker
    if broker.embedded:
        return BrokerAccess(addresses=(Address("127.0.0.1", embedded_port),))

    def read(text: str | None) -> str | None:
        return None if text is None else secrets.resolve(text, base=topology.folder)

    return BrokerAccess(
        addresses=broker.addresses,
        username=read(broker.username),
        password=read(broker.password),
        tls=broker.tls,
    )
