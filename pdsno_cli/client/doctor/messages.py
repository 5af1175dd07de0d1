"""Whether the broker does with messages what delivery relies on, on topics of the check's own."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.exchange import Exchange
from pdsno_cli.client.doctor.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.doctor.subject import Subject
    from pdsno_cli.spec.topology import Topology

_MARGIN = 512  # bytes of a packet beside its payload


def check_messages(subject: Subject) -> Iterator[Finding]:
    """Publish to oneself: at QoS 1, retained, under a wildcard, as large as the file allows."""
    access, topology = subject.access, subject.topology
    if access is None:
        return
    own = f"{topology.topics.root}/doctor/{os.urandom(6).hex()}"
    with Exchange(topology, access, (f"{own}/plain", f"{own}/wild/+/x", f"{own}/size")) as exchange:
        if exchange.trouble is not None:
            yield Finding(check="subscribe", verdict="fail", text=exchange.trouble)
            return
        trip = round_trip(topology, exchange, f"{own}/plain")
        yield trip
        if trip.verdict != "ok":
            return
        exchange.publish(f"{own}/wild/a/x", b"wild")
        if exchange.wait(lambda: exchange.came(f"{own}/wild/a/x")):
            yield Finding(check="wildcards", verdict="ok", text="+ matches one level")
        else:
            yield Finding(
                check="wildcards",
                verdict="fail",
                text="a subscription with + gets nothing",
                hint="parents subscribe with +: allow wildcards in the broker",
            )
        yield _size(subject, exchange, f"{own}/size")
    yield _retained(subject, f"{own}/kept")


def round_trip(topology: Topology, exchange: Exchange, topic: str) -> Finding:
    """Publish on a topic that ``exchange`` is subscribed to."""
    began = time.monotonic()
    exchange.publish(topic, b"plain")
    if exchange.wait(lambda: exchange.came(topic)):
        text = f"QoS 1 in {(time.monotonic() - began) * 1000:.1f} ms"
        return Finding(check="round trip", verdict="ok", text=text)
    return Finding(
        check="round trip",
        verdict="warn",
        text=f"what is published on {topic} does not arrive{_why(exchange)}",
        hint=f"an ACL that has no {topology.topics.root}/doctor/# would do that: "
        "allow it, and try again",
    )


def _size(subject: Subject, exchange: Exchange, topic: str) -> Finding:
    """Publish the largest payload that the file allows."""
    size = subject.topology.broker.max_payload
    data = os.urandom(size)
    exchange.publish(topic, data)
    if exchange.wait(lambda: exchange.came(topic, data), 5.0):
        return Finding(check="payload", verdict="ok", text=f"{size:,} bytes arrive")
    return Finding(
        check="payload",
        verdict="fail",
        text=f"{size:,} bytes (broker.max_payload) do not arrive{_why(exchange)}",
        hint="raise the broker's limit (message_size_limit, max_packet_size), or lower max_payload",
    )


def _retained(subject: Subject, topic: str) -> Finding:
    """Retain a message, read it with another connection, and remove it."""
    access, topology = subject.access, subject.topology
    assert access is not None  # as the caller has seen
    with Exchange(topology, access, ()) as first:
        first.publish(topic, b"kept", retain=True)
        with Exchange(topology, access, (topic,)) as second:
            kept = second.wait(lambda: second.came(topic))
        first.publish(topic, b"", retain=True)
    if kept:
        return Finding(check="retained", verdict="ok", text="kept, and removed again")
    return Finding(
        check="retained",
        verdict="fail",
        text="a retained message is not kept",
        hint="policy and status are retained: set retain_available true (Mosquitto), "
        "mqtt.retain_available (EMQX)",
    )


def check_will(subject: Subject) -> Iterator[Finding]:
    """Connect with a will, cut the connection, and wait for the will."""
    from pdsno_cli.broker.probe import leave_will
    from pdsno_cli.messaging.tls import context
    from pdsno_cli.model.errors import BrokerError

    access, topology = subject.access, subject.topology
    if access is None:
        return
    topic = f"{topology.topics.root}/doctor/{os.urandom(6).hex()}/will"
    with Exchange(topology, access, (topic,)) as exchange:
        if exchange.trouble is not None:
            return  # said by check_messages
        try:
            leave_will(
                *access.addresses[0],
                topic=topic,
                protocol=topology.broker.protocol,
                username=access.username,
                password=access.password,
                tls=None if access.tls is None else context(access.tls),
            )
        except BrokerError as exc:
            yield Finding(check="last will", verdict="fail", text=str(exc))
            return
        began = time.monotonic()
        if exchange.wait(lambda: exchange.came(topic), 5.0):
            text = f"delivered {time.monotonic() - began:.1f} s after the connection was cut"
            yield Finding(check="last will", verdict="ok", text=text)
        else:
            yield Finding(
                check="last will",
                verdict="warn",
                text="is not delivered: a controller that is killed is noticed by its silence alone",
                hint=f"allow {topology.topics.root}/# to be published by wills, too",
            )


def _why(exchange: Exchange) -> str:
    return f": {exchange.trouble}" if exchange.trouble else ""
