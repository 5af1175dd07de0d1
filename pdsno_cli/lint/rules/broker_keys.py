"""PDS218: keys of the broker that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.model.diagnostics import Diagnostic
    from pdsno_cli.spec.document import Document
    from pdsno_cli.spec.topology import Topology

CODE = "PDS218"


def check(topology: Topology, document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each key that conflicts with the others."""
    broker = topology.broker
    if broker.embedded:
        for key in ("host", "hosts", "tls"):
            if key in document.data.get("broker", {}):
                yield document.finding(
                    CODE,
                    f"{key!r} has no effect: the embedded broker listens on loopback only",
                    ("broker", key),
                    key=True,
                    hint=f"leave out {key!r}, or leave out embedded and name the broker's host",
                )
    elif not broker.addresses:
        yield document.finding(
            CODE,
            "a broker that is not embedded needs a host",
            ("broker", "embedded"),
            hint="for example: broker: {host: broker.example.net}",
        )
    elif document.has(("broker", "host")) and document.has(("broker", "hosts")):
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
    tls = broker.tls
    if tls is not None and (tls.cert is None) is not (tls.key is None):
        missing, given = ("key", "cert") if tls.key is None else ("cert", "key")
        yield document.finding(
            CODE,
            f"{given!r} has no effect without {missing!r}",
            ("broker", "tls", given),
            hint=f"add {missing!r}",
        )


RULE = Rule(code=CODE, name="broker-keys", check=check)
