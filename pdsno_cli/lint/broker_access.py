"""How controllers reach a declared broker: queries of the rules about its security."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.addresses import is_loopback

if TYPE_CHECKING:
    from pdsno_cli.model.addresses import Address
    from pdsno_cli.spec.document import Document, Where
    from pdsno_cli.spec.topology import Topology


def off_loopback(topology: Topology, document: Document) -> tuple[Address, Where] | None:
    """Return the first address of the broker that is not on this machine, and its path."""
    for index, address in enumerate(topology.broker.addresses):
        if not is_loopback(address.host):
            where: Where = ("broker", "host")
            if document.has(("broker", "hosts")):
                where = ("broker", "hosts", index)
            return address, where
    return None


def broker_left_out(topology: Topology, document: Document) -> bool:
    """Return True if the file names a broker that the topology lacks: the name was refused, or is unknown."""
    named = document.has(("broker", "host")) or document.has(("broker", "hosts"))
    lost = document.has(("broker",)) and "broker" not in document.data
    return lost or (named and not topology.broker.addresses)


def is_anonymous(topology: Topology, document: Document) -> bool:
    """Return True if the file gives controllers no user name, password or certificate.

    MQTT 5 has passwords without a user name (section 3.1.2.9): tokens, for example.
    """
    broker = topology.broker
    if broker.username is not None or broker.password is not None:
        return False
    # A path that is not known yet is in the file, though not in the topology.
    return not document.has(("broker", "tls", "cert"))
