"""Whether the broker answers and accepts us, and which one it is."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.errors import BrokerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from pdsno_cli.client.doctor.subject import Subject
    from pdsno_cli.model.addresses import Address
    from pdsno_cli.runtime.broker_access import BrokerAccess

_OTHER: dict[str, Literal["3.1.1", "5"]] = {"3.1.1": "5", "5": "3.1.1"}


def check_connection(subject: Subject) -> Iterator[Finding]:
    """Connect and log in at each address, with the protocol of the file and with the other one."""
    access = subject.access
    if access is None:
        yield Finding(check="broker", verdict="skip", text=subject.no_broker)
        return
    protocol = subject.topology.broker.protocol
    for address in access.addresses:
        began = time.monotonic()
        try:
            _probe(access, address, protocol)
        except BrokerError as exc:
            yield Finding(check="broker", verdict="fail", text=str(exc), hint=_hint(exc))
            continue
        seconds = time.monotonic() - began
        who = "anonymous" if access.username is None else f"as {access.username}"
        also = ""
        with suppress(BrokerError):
            _probe(access, address, _OTHER[protocol])
            also = f"; it speaks {_OTHER[protocol]}, too"
        text = f"{address} accepts MQTT {protocol}, {who}, {seconds * 1000:.0f} ms{also}"
        yield Finding(check="broker", verdict="ok", text=text)


def _probe(access: BrokerAccess, address: Address, protocol: Literal["3.1.1", "5"]) -> None:
    from pdsno_cli.broker.probe import probe
    from pdsno_cli.messaging.tls import context

    probe(
        *address,
        protocol=protocol,
        username=access.username,
        password=access.password,
        tls=None if access.tls is None else context(access.tls),
    )


def _hint(error: BrokerError) -> str:
    text = str(error)
    if isinstance(error, UnreachableError):
        return "is the broker up, and is broker.host and broker.port right?"
    if "credentials" in text:
        return "broker.username and broker.password; does the broker allow anonymous clients?"
    if "certificate" in text or "TLS" in text:
        return "broker.tls.ca, and whether this port is the one with TLS (8883 by habit)"
    return "broker.port and broker.protocol"


def check_version(subject: Subject) -> Iterator[Finding]:
    """Read the retained topics in which brokers publish their name and version."""
    access = subject.access
    if access is None:
        return
    if subject.topology.broker.embedded:
        yield Finding(
            check="version",
            verdict="ok",
            text="embedded (rumqttd): state in memory, no ACL",
        )
        return
    from pdsno_cli.client.doctor.exchange import Exchange

    with Exchange(subject.topology, access, ("$SYS/broker/version", "$SYS/brokers/#")) as exchange:
        found = exchange.wait(lambda: exchange.first("version"))
    if found is None:
        text = "unknown: the broker publishes no $SYS topics, or denies them"
        yield Finding(check="version", verdict="ok", text=text)
    else:
        yield Finding(check="version", verdict="ok", text=found)
