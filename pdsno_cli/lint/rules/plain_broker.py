"""PDS401: a broker off loopback without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.broker_access import is_anonymous, off_loopback
from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS401"
TLS_PORT = 8883


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning, one for all hosts, if connections to the broker are not encrypted."""
    broker = topology.broker
    found = off_loopback(topology, document)
    if found is None or broker.tls is not None:
        return
    address, where = found
    if is_anonymous(topology, document):
        problem = f"connections to {address.host} are neither encrypted nor authenticated"
        hint = "add tls: {}, username: ${MQTT_USERNAME} and password: ${MQTT_PASSWORD}"
    elif broker.password is not None:
        problem = f"the password and all messages go to {address.host} without encryption"
        hint = "add tls: {}, or tls: {ca: ca.pem} for an authority of your own"
    else:
        problem = f"connections to {address.host} are not encrypted"
        hint = "add tls: {}, or tls: {ca: ca.pem} for an authority of your own"
    if address.port == TLS_PORT:
        problem = f"port {TLS_PORT} of {address.host} is for TLS, and the broker has no 'tls'"
    yield document.finding(CODE, problem, where, severity=Severity.WARNING, hint=hint)


RULE = Rule(code=CODE, name="plain-broker", check=check, absence=True, advice=True)
