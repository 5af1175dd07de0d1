"""The MQTT transport: one paho client and the one thread that drives it (MQTT 3.1.1 and 5).

paho's own loop is not used: it wakes every second, reconnects without jitter, notices a silent broker
late, and an exception in a callback ends it silently. paho's queue of unacknowledged QoS 1 messages
is bounded and is the only state that outlives a connection.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Literal

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pdsno_cli.messaging import mqtt_errors
from pdsno_cli.messaging.backoff import CAP, UNREACHED_CAP, Backoff
from pdsno_cli.messaging.client_id import ClientId
from pdsno_cli.messaging.client_id_conflict import ClientIdConflict
from pdsno_cli.messaging.connection import Connection
from pdsno_cli.messaging.guarded import call_guarded
from pdsno_cli.messaging.inbound_inflight import InboundInflight
from pdsno_cli.messaging.paho_client import PahoClient
from pdsno_cli.messaging.self_pipe import SelfPipePoller
from pdsno_cli.messaging.session import Session
from pdsno_cli.messaging.throttle import Throttle
from pdsno_cli.messaging.tls import context
from pdsno_cli.messaging.transport import Alarm, Arrival, FailoverMember, Loss
from pdsno_cli.model.printable import shown

if TYPE_CHECKING:
    import ssl

    from pdsno_cli.messaging.client_id_owner import ClientIdClaim
    from pdsno_cli.messaging.transport import Listener, Publication
    from pdsno_cli.messaging.wire import Published
    from pdsno_cli.model.addresses import Address
    from pdsno_cli.spec.topology import Tls

log = logging.getLogger(__name__)

MAX_QUEUED = 1000  # unacknowledged QoS 1 messages, beyond which publish returns False
SESSION_EXPIRY = 3600  # seconds for which an MQTT 5 broker keeps a persistent session
_OVERHEAD = 16  # most bytes of a PUBLISH without topic and payload, with an expiry
_STABLE = 10.0  # seconds after which a connection counts as held
_HEAD = 70_000  # most bytes of a PUBLISH without payload: a topic of up to 65,535, and more
_FAREWELL = 1.0  # seconds to wait for the farewell's PUBACK
_JOIN = 2.0  # seconds to wait for the network thread


class MqttTransport(FailoverMember):
    """Sends and receives over one MQTT broker; implements ``transport.FailoverMember``.

    ``addresses`` are tried in turn, the next one after each connection and each failure.
    ``filters`` are subscribed at ``qos`` on every connect. ``persistent`` asks the broker to keep
    the session of a disconnected client. ``username`` and ``password`` are the resolved strings.
    ``max_payload`` is in bytes, ``keepalive`` in seconds. ``as_published`` asks an MQTT 5 broker
    for the publisher's retain flag (MQTT 5.0 section 3.8.3.1); ``Arrival.retained`` is then set for
    live messages, too. A ``source`` is the IPv4 address that connections come from.

    It reconnects for ever, whatever a broker does. Only with a ``claim`` it ends, once a process
    that was started later runs as the same controller: the two would evict each other for ever.

    A message is acknowledged to the broker once it and all before it are released, so the broker
    pauses at its inflight window while none are.
    """

    def __init__(
        self,
        *,
        addresses: Sequence[Address],
        client_id: str,
        filters: Sequence[str] = (),
        qos: int = 1,
        protocol: Literal["3.1.1", "5"] = "3.1.1",
        keepalive: float = 30.0,
        username: str | None = None,
        password: str | None = None,
        tls: Tls | None = None,
        max_payload: int = 1_048_576,
        persistent: bool = False,
        as_published: bool = False,
        claim: ClientIdClaim | None = None,
        source: str | None = None,
    ) -> None:
        self._addresses = tuple(addresses)
        self._client_id = ClientId(client_id)
        self._protocol = protocol
        self._keepalive = max(1, round(keepalive))
        self._username, self._password = username, password
        self._tls = tls
        self._max_payload = max_payload
        self._persistent = persistent
        self._source = source
        self._session = Session(
            username=username,
            filters=filters,
            qos=qos,
            as_published=as_published and protocol == "5",
            came_up=self._came_up,
        )
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        # Held while a message enters paho's queue, which must not change when a connection begins.
        self._gate = threading.Lock()
        self._client: PahoClient | None = None  # set while the network thread lives
        self._poller = SelfPipePoller()
        # The rest is owned by the network thread.
        self._listener: Listener
        self._context: ssl.SSLContext | None = None
        self._throttle = Throttle()
        self._conflict = ClientIdConflict(
            client_id=self._client_id,
            session=self._session,
            claim=claim,
            make_client=self._make_probe_client,
            alarm=self._alarm,
        )
        self._where = f"broker {self._addresses[0]}"
        self._inflight = InboundInflight(self._poller.wake)

    def start(self, listener: Listener) -> None:
        """Start the network thread, which connects and stays connected.

        BrokerError if a file of ``tls`` is unreadable or invalid.
        """
        if self._thread is not None:
            raise RuntimeError("an MQTT transport is started once")
        self._context = None if self._tls is None else context(self._tls)
        self._listener = listener
        self._poller.open()
        self._thread = threading.Thread(
            target=self._run, name=f"mqtt {self._client_id.declared}", daemon=True
        )
        self._thread.start()

    def reconnect(self, reason: str) -> None:
        """End the connection, which is up and carries nothing, and make another one."""
        with self._gate:
            if self._session.up:
                self._session.renew(reason)
                self._poller.wake()

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Queue one message for the network thread; see ``Transport.publish``."""
        if not topic:
            raise ValueError("a message needs a topic")
        limit = self._max_payload
        largest = self._session.largest  # of a whole packet
        if largest is not None:
            limit = min(limit, largest - _OVERHEAD - len(topic.encode()))
        if len(data) > limit:
            raise ValueError(
                f"a message of {len(data)} bytes for {topic} is over the broker's limit of {limit}"
            )
        properties = None
        if expiry is not None and self._protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry
        with self._gate:
            client = self._client
            if client is None or not self._session.up:
                return False
            code = client.publish(topic, data, qos, retain, properties).rc
        # The connection was just lost: paho keeps a QoS 1 message and resends it.
        return code == paho.MQTT_ERR_SUCCESS or (code == paho.MQTT_ERR_NO_CONN and qos > 0)

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe to one more filter; see ``FailoverMember.subscribe``."""
        with self._gate:
            self._session.subscribe(self._client, topic_filter)

    def stop(self, farewell: Publication | None = None) -> None:
        """Publish ``farewell``, wait shortly for its PUBACK, disconnect and end the thread."""
        client, thread = self._client, self._thread
        if thread is None:
            return
        if client is not None and self._session.up and farewell is not None:
            with self._gate:
                info = client.publish(farewell.topic, farewell.data, farewell.qos, farewell.retain)
            try:
                info.wait_for_publish(_FAREWELL)
            except (RuntimeError, ValueError) as exc:
                log.info("%s: the farewell was not sent: %s", self._where, exc)
        self._stopping.set()
        self._poller.wake()
        if thread is not threading.current_thread():
            thread.join(_JOIN)

    # Network thread from here on.

    def _run(self) -> None:
        """Stay connected until stopped or superseded."""
        client = self._client = self._make_paho_client()
        loss = None
        try:
            loss = self._keep_connected(client)
        finally:
            self._session.up = False
            self._client = None
            self._conflict.close()
            self._poller.close()
        if loss is not None and not self._stopping.is_set():
            call_guarded(self._listener.on_down, loss)

    def _keep_connected(self, client: PahoClient) -> Loss | None:
        """Reconnect until stopped (None) or superseded: return the final loss."""
        backoff, session = Backoff(), self._session
        for turn, address in enumerate(cycle(self._addresses), 1):
            if self._stopping.is_set():
                return None
            begun = time.monotonic()
            self._one_connection(client, address)
            if self._stopping.is_set():
                return None
            held = time.monotonic() - begun
            if held > _STABLE or session.renewed:
                backoff.reset()
            wait = 0.0
            if session.was_up or turn % len(self._addresses) == 0:
                wait = backoff.next(CAP if session.reached else UNREACHED_CAP)
            call_guarded(
                self._listener.on_down,
                Loss(reason=session.lost, retry_in=wait, refused=session.refused),
            )
            immediately, superseded = self._conflict.ended(held, self._stopping.is_set)
            if superseded is not None:
                return superseded
            if immediately:
                backoff.reset()
            elif wait:
                self._stopping.wait(wait)
        return None

    def _make_probe_client(self, filters: Sequence[str]) -> MqttTransport:
        """Return another client of the same broker, for a ``ClientIdProbe``."""
        return MqttTransport(
            addresses=self._addresses,
            client_id=f"{self._client_id.declared}-{os.urandom(4).hex()}",
            filters=filters,
            protocol=self._protocol,
            username=self._username,
            password=self._password,
            tls=self._tls,
            source=self._source,
        )

    def _one_connection(self, client: PahoClient, address: Address) -> None:
        """Connect and stay until the connection ends; the session records the result."""
        self._where = f"broker {address}"
        with self._gate:
            self._session.begin(self._where, self._client_id.current)
        self._inflight = InboundInflight(self._poller.wake)
        try:
            self._prepare(client)
            Connection(
                client=client,
                session=self._session,
                inflight=self._inflight,
                poller=self._poller,
                stopping=self._stopping.is_set,
                keepalive=self._keepalive,
                source=self._source,
            ).run(address, self._context)
        except Exception as exc:
            log.exception("%s: the connection failed", self._where)
            self._session.up = False
            self._session.lost = f"{self._where}: the connection failed: {exc!r}"

    def _prepare(self, client: PahoClient) -> None:
        """Set will, client id and properties of the next CONNECT."""
        will = self._listener.will(self._session.connection)
        if will is None:
            client.will_clear()
        else:
            client.will_set(will.topic, will.data, will.qos, will.retain)
        # A session under a random id would stay at the broker unused.
        persistent = self._persistent and not self._client_id.private
        properties = None
        if self._protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = self._max_payload + _HEAD
            if persistent:
                properties.SessionExpiryInterval = SESSION_EXPIRY
        client.prepare(
            self._client_id.current, self._keepalive, clean=not persistent, properties=properties
        )

    def _make_paho_client(self) -> PahoClient:
        client = PahoClient(
            protocol=self._protocol,
            limit=self._max_payload + _HEAD,
            on_publish_received=self._deliver,
            on_too_large=self._skipped,
            on_refused=self._refused,
            wake=self._poller.wake,
        )
        client.max_queued_messages_set(MAX_QUEUED)
        client.username_pw_set(self._username, self._password)
        self._session.attach(client)
        return client

    def _came_up(self, session_present: bool) -> None:
        if len(self._addresses) > 1:
            log.info("connected to %s", self._where)
        if self._persistent and self._session.connection > 1 and not session_present:
            log.info("%s kept no session; senders resend the messages of the meantime", self._where)
        largest = self._session.largest
        if largest is not None and largest < self._max_payload:
            log.warning(
                "%s accepts packets of up to %d bytes, and max_payload is %d: set it lower",
                self._where,
                largest,
                self._max_payload,
            )
        self._conflict.came_up()
        self._listener.on_up(self._session.connection, session_present)

    def _refused(self, topic: str, code: int) -> None:
        """Raise an alarm: the broker refuses messages, each of which is resent later."""
        if self._throttle.due(f"refused {topic} {code}", time.monotonic()):
            self._alarm(
                mqtt_errors.message_refused(self._where, self._client_id.declared, topic, code)
            )

    def _skipped(self, message: Published, size: int) -> None:
        """Raise an alarm: a message is too large. Acknowledge it."""
        topic, _, _, qos, packet_id = message
        if self._throttle.due("too large", time.monotonic()):
            self._alarm(
                mqtt_errors.message_too_large(self._where, shown(topic), size, self._max_payload)
            )
        if qos:
            self._inflight.add(qos, packet_id)()

    def _alarm(self, alarm: Alarm) -> None:
        call_guarded(self._listener.on_alarm, alarm)

    def _deliver(self, message: Published) -> None:
        """Pass a message to the listener; release it if the listener fails."""
        topic, data, retained, qos, packet_id = message
        if qos:
            pending = self._inflight.add(qos, packet_id)
            arrival = Arrival(topic, data, retained, qos, pending)
        else:
            arrival = Arrival(topic, data, retained)
        try:
            self._listener.on_message(arrival)
        except Exception:
            log.exception("the listener failed; a message on %s is dropped", topic)
            arrival.release()
