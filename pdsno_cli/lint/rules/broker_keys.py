"""PDS218: keys of the broker that contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule
from pdsno_cli.model.addresses import name_problem
from pdsno_cli.model.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Broker, Topology

CODE = "PDS218"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each key that conflicts with the others."""
    broker = topology.broker
    if broker.embedded:
        yield from _without_effect(document)
    elif broker.addresses:
        yield from _hosts(broker, document)
    elif not any(document.has(("broker", key)) for key in ("host", "hosts")):
        yield document.finding(
            CODE,
            "a broker that is not embedded needs a host",
            ("broker", "embedded"),
            hint="for example: broker: {host: broker.example.net}",
        )
    yield from _halves(broker, document)
    if document.here:
        yield from _files(broker, document)


def _without_effect(document: Document) -> Iterator[Diagnostic]:
    key = next(
        (key for key in ("host", "hosts", "tls") if key in document.data.get("broker", {})), None
    )
    if key is not None:  # 'embedded' is the mistake where there are several, so one is enough
        yield document.finding(
            CODE,
            f"{key!r} has no effect: the embedded broker listens on loopback only",
            ("broker", key),
            key=True,
            hint=f"leave out {key!r}, or leave out embedded and name the broker's host",
        )


def _hosts(broker: Broker, document: Document) -> Iterator[Diagnostic]:
    if document.has(("broker", "host")) and document.has(("broker", "hosts")):
        yield document.finding(
            CODE,
            "'host' has no effect beside 'hosts'",
            ("broker", "host"),
            key=True,
            hint="keep one of the two",
        )
    for index, address in enumerate(broker.addresses):
        if not 1 <= address.port <= 65_535:  # only of hosts: the schema checks port
            yield document.finding(
                CODE, f"invalid port {address.port} (1 to 65535)", ("broker", "hosts", index)
            )
        elif document.has(("broker", "hosts")) and (problem := name_problem(address.host)):
            yield document.finding(
                CODE,
                f"invalid host {address.host!r}: {problem[0]}",
                ("broker", "hosts", index),
                hint="for example: mqtt-a.example.net:1884, or 10.0.0.5",
            )


def _halves(broker: Broker, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for a certificate without its key, and a password without a user name."""
    tls = broker.tls
    if tls is not None and (tls.cert is None) is not (tls.key is None):
        missing, given = ("key", "cert") if tls.key is None else ("cert", "key")
        if not document.has(("broker", "tls", missing)):
            yield document.finding(
                CODE,
                f"{given!r} has no effect without {missing!r}",
                ("broker", "tls", given),
                key=True,
                hint=f"add {missing!r}",
            )
    if broker.password is None or broker.protocol != "3.1.1" or broker.embedded:
        return
    if not document.has(("broker", "username")) and not _unknown(document, "protocol"):
        # MQTT 3.1.1 section 3.1.2.9, [MQTT-3.1.2-22]
        yield document.finding(
            CODE,
            "MQTT 3.1.1 has no password without a user name",
            ("broker", "password"),
            key=True,
            hint='add username: "${MQTT_USERNAME}", or write protocol: "5"',
        )


def _files(broker: Broker, document: Document) -> Iterator[Diagnostic]:
    """Yield a warning for each file of TLS that is not on this machine."""
    for key in ("ca", "cert", "key"):
        path = getattr(broker.tls, key, None)
        if path is not None and not Path(path).is_file():
            yield document.finding(
                CODE,
                f"there is no file {path}",
                ("broker", "tls", key),
                severity=Severity.WARNING,
                hint="paths start from the folder of this file",
            )


def _unknown(document: Document, key: str) -> bool:
    """Return True if the file has a key of the broker whose value was left out."""
    return document.has(("broker", key)) and key not in document.data.get("broker", {})


RULE = Rule(code=CODE, name="broker-keys", check=check)
