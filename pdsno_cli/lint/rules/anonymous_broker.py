"""PDS402: a broker off loopback that anybody may use."""

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

CODE = "PDS402"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning if controllers authenticate with nothing; plain-broker has it without TLS."""
    found = off_loopback(topology, document)
    if found is None or topology.broker.tls is None or not is_anonymous(topology, document):
        return
    address, where = found
    yield document.finding(
        CODE,
        f"controllers connect to {address.host} without credentials, so anybody may",
        where,
        severity=Severity.WARNING,
        hint="add username: ${MQTT_USERNAME} and password: ${MQTT_PASSWORD}, "
        "or a client certificate: tls: {cert: client.pem, key: client.key}",
    )


RULE = Rule(code=CODE, name="anonymous-broker", check=check, absence=True, advice=True)
