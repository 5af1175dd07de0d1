"""The MQTT transport: one paho client and the one thread that drives it (MQTT 3.1.1 and 5).

paho is kept on a short leash. Its own thread would wake every second, its reconnection has no
jitter, it notices a silent broker late, and an exception in a callback would end it silently; so
the loop is ours. paho's queue of unacknowledged QoS 1 messages is bounded and is the only thing
that outlives a connection.
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

from pdsno_cli.messaging import rival, sentences
from pdsno_cli.messaging.backoff import Backoff
from pdsno_cli.messaging.connection import Connection
from pdsno_cli.messaging.paho_client import PahoClient
from pdsno_cli.messaging.releases import Releases
from pdsno_cli.messaging.session import Session, guarded
from pdsno_cli.messaging.tls import context
from pdsno_cli.messaging.transport import Arrival
from pdsno_cli.messaging.waker import Waker
from pdsno_cli.model.errors import BrokerError

if TYPE_CHECKING:
    import ssl

    from pdsno_cli.messaging.rival import Claim
    from pdsno_cli.messaging.transport import Listener, Publication
    from pdsno_cli.messaging.wire import Published
    from pdsno_cli.model.addresses import Address
    from pdsno_cli.spec.topology import Tls

log = logging.getLogger(__name__)

MAX_QUEUED = 1000  # QoS 1 messages that the broker did not acknowledge; beyond, publish is False
SESSION_EXPIRY = 3600  # seconds for which an MQTT 5 broker keeps a persistent session
_OVERHEAD = 16  # bytes of a PUBLISH at most beside topic and payload, with an expiry
_STABLE = 10.0  # seconds after which a connection counts as held
_EVICTIONS = 5  # short-lived connections in a row that are no accident
_FAREWELL = 1.0  # seconds to wait for the farewell's PUBACK
_JOIN = 2.0  # seconds to wait for the network thread


class MqttTransport:
    """Carries messages over one MQTT broker; implements ``transport.Transport``.

    ``addresses`` are tried in turn: the next one whenever a connection ends or is not to be had.
    ``filters`` are subscribed at ``qos`` on every connect. ``persistent`` asks the broker to keep
    the session while we are away. ``username`` and ``password`` are the resolved strings.
    ``max_payload`` is in bytes, ``keepalive`` in seconds. ``as_published`` asks an MQTT 5 broker
    for the retain flag of the publisher (MQTT 5.0 section 3.8.3.1); an ``Arrival`` then says
    ``retained`` for live messages, too. With a ``claim``, a process that takes the client id away
    is named. A ``source`` is the IPv4 address that connections come from.

    A message is acknowledged to the broker once it and all before it are released, so the broker
    stops at its inflight window when nobody releases any.
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
        claim: Claim | None = None,
        source: str | None = None,
    ) -> None:
        self._addresses = tuple(addresses)
        self._client_id = client_id
        self._protocol = protocol
        self._keepalive = max(1, round(keepalive))
        self._username, self._password = username, password
        self._tls = tls
        self._max_payload = max_payload
        self._persistent = persistent
        self._claim = claim
        self._source = source
        self._session = Session(
            client_id=client_id,
            username=username,
            filters=filters,
            qos=qos,
            as_published=as_published and protocol == "5",
            came_up=self._came_up,
        )
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        # Held while a message enters paho's queue, which must be still when a connection begins.
        self._gate = threading.Lock()
        self._client: PahoClient | None = None  # set while the network thread lives
        self._waker = Waker()
        # The rest belongs to the network thread.
        self._listener: Listener
        self._where = f"broker {self._addresses[0]}"
        self._connection = 0
        self._releases = Releases(self._waker.ring)

    def start(self, listener: Listener) -> None:
        """Start the network thread, which connects and keeps connected."""
        if self._thread is not None:
            raise RuntimeError("an MQTT transport is started once")
        self._listener = listener
        self._waker.open()
        self._thread = threading.Thread(
            target=self._run, name=f"mqtt {self._client_id}", daemon=True
        )
        self._thread.start()

    def publish(
        self, topic: str, data: bytes, *, qos: int, retain: bool, expiry: int | None = None
    ) -> bool:
        """Hand one message to the network thread; see ``Transport.publish``."""
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
        # Lost in this instant: paho keeps a QoS 1 message and sends it again by itself.
        return code == paho.MQTT_ERR_SUCCESS or (code == paho.MQTT_ERR_NO_CONN and qos > 0)

    def stop(self, farewell: Publication | None = None) -> None:
        """Publish ``farewell`` and wait shortly for its PUBACK, disconnect, end the thread."""
        client, thread = self._client, self._thread
        if thread is None:
            return
        if client is not None and self._session.up and farewell is not None:
            with self._gate:
                info = client.publish(farewell.topic, farewell.data, farewell.qos, farewell.retain)
            try:
                info.wait_for_publish(_FAREWELL)
            except (RuntimeError, ValueError) as exc:
                log.info("%s: the farewell did not go out: %s", self._where, exc)
        self._stopping.set()
        self._waker.ring()
        if thread is not threading.current_thread():
            thread.join(_JOIN)

    # What follows is called on the network thread.

    def _run(self) -> None:
        """Connect, listen, come back; the network thread."""
        session = self._session
        try:
            tls = None if self._tls is None else context(self._tls)
            client = self._client = self._make_client()
            self._keep_connected(client, tls)
        except BrokerError as exc:
            session.fatal = str(exc)
        except Exception as exc:
            log.exception("%s: the network thread failed", self._where)
            session.fatal = f"{self._where}: the network thread failed: {exc!r}"
        finally:
            session.up = False
            self._client = None
            self._waker.close()
        if session.taken_over and self._claim is not None:
            self._name_rival(self._claim)
        if session.fatal and not self._stopping.is_set():
            guarded(self._listener.on_fatal)(session.fatal)

    def _keep_connected(self, client: PahoClient, tls: ssl.SSLContext | None) -> None:
        backoff = Backoff()
        session = self._session
        evictions = 0
        for turn, address in enumerate(cycle(self._addresses), 1):
            if self._stopping.is_set():
                return
            begun = time.monotonic()
            self._one_connection(client, address, tls)
            if self._stopping.is_set() or session.fatal:
                return
            held = time.monotonic() - begun
            if held > _STABLE:
                backoff.reset()
            # MQTT 3.1.1 gives no reason when a session is taken over: the broker just closes.
            # When it does so time and again, and lets us in at once each time, that is why.
            evictions = evictions + 1 if session.was_up and held <= _STABLE else 0
            if evictions == _EVICTIONS:
                session.fatal = sentences.evicted(self._where, self._client_id, evictions)
                session.taken_over = True
                return
            guarded(self._listener.on_down)(session.lost)
            if session.was_up or turn % len(self._addresses) == 0:
                self._stopping.wait(backoff.next())

    def _name_rival(self, claim: Claim) -> None:
        """Ask the broker, as another client, who publishes as we do, and name both."""
        asking = MqttTransport(
            addresses=self._addresses,
            client_id=f"{self._client_id}-{os.urandom(4).hex()}",
            filters=[claim.topic],
            protocol=self._protocol,
            username=self._username,
            password=self._password,
            tls=self._tls,
        )
        name = rival.find(asking, claim.holder, self._stopping.is_set)
        if name or self._session.fatal == self._session.lost:  # the broker said so itself
            self._session.fatal = sentences.taken_over(
                self._where, self._client_id, claim.holder, name
            )

    def _one_connection(
        self, client: PahoClient, address: Address, tls: ssl.SSLContext | None
    ) -> None:
        """Connect and stay until the connection ends; the session tells how it was."""
        self._where = f"broker {address}"
        with self._gate:
            self._session.begin(self._where)
        self._connection += 1
        self._releases = Releases(self._waker.ring)
        will = self._listener.will(self._connection)
        if will is None:
            client.will_clear()
        else:
            client.will_set(will.topic, will.data, will.qos, will.retain)
        Connection(
            client=client,
            session=self._session,
            releases=self._releases,
            waker=self._waker,
            stopping=self._stopping.is_set,
            keepalive=self._keepalive,
            source=self._source,
        ).run(address, tls)

    def _make_client(self) -> PahoClient:
        client = PahoClient(
            client_id=self._client_id,
            protocol=self._protocol,
            clean=not self._persistent,
            hear=self._hear,
            wake=self._waker.ring,
        )
        client.max_queued_messages_set(MAX_QUEUED)
        client.username_pw_set(self._username, self._password)
        properties = None
        if self._protocol == "5" and self._persistent:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY
        client.prepare(self._keepalive, clean_start=not self._persistent, properties=properties)
        self._session.attach(client)
        return client

    def _came_up(self, session_present: bool) -> None:
        if len(self._addresses) > 1:
            log.info("connected to %s", self._where)
        if self._persistent and self._connection > 1 and not session_present:
            log.info("%s kept no session: its senders send again what came meanwhile", self._where)
        largest = self._session.largest
        if largest is not None and largest < self._max_payload:
            log.warning(
                "%s takes no packet over %d bytes, and max_payload is %d: set it lower",
                self._where,
                largest,
                self._max_payload,
            )
        self._listener.on_up(self._connection, session_present)

    def _hear(self, message: Published) -> None:
        """Hand a message over; what its listener does not take is released at once."""
        topic, data, retained, qos, packet_id = message
        if qos:
            release = self._releases.take(qos, packet_id)
            arrival = Arrival(topic, data, retained, qos, release)
        else:
            arrival = Arrival(topic, data, retained)
        try:
            self._listener.on_message(arrival)
        except Exception:
            log.exception("the listener failed; a message on %s is dropped", topic)
            arrival.release()
