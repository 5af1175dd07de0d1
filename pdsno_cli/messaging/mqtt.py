"""The MQTT transport: one paho client and the one thread that drives it (MQTT 3.1.1 and 5).

paho is kept on a short leash. Its own thread would wake every second, its reconnection has no
jitter, and an exception in a callback would end it silently; so the loop is here. paho's queue of
unacknowledged QoS 1 messages is bounded and is the only thing that outlives a connection.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from pdsno_cli.messaging import sentences
from pdsno_cli.messaging.backoff import Backoff
from pdsno_cli.messaging.tls import context
from pdsno_cli.model.errors import BrokerError

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from pdsno_cli.messaging.transport import Listener, Publication
    from pdsno_cli.spec.topology import Tls

log = logging.getLogger(__name__)

MAX_INFLIGHT = 100  # QoS 1 messages on their way to the broker at once
MAX_QUEUED = 1000  # those and the ones that wait behind them; beyond, publish returns False
SESSION_EXPIRY = 3600  # seconds for which an MQTT 5 broker keeps a persistent session
_ANSWER = 10.0  # seconds within which a broker answers CONNECT and SUBSCRIBE
_STABLE = 10.0  # seconds after which a connection counts as held
_EVICTIONS = 5  # short-lived connections in a row that are no accident
_FAREWELL = 1.0  # seconds to wait for the farewell's PUBACK
_JOIN = 2.0  # seconds to wait for the network thread


class MqttTransport:
    """Carries messages over one MQTT broker; implements ``transport.Transport``.

    ``filters`` are subscribed at ``qos`` on every connect. ``persistent`` asks the broker to keep
    the session while we are away. ``username`` and ``password`` are the resolved strings.
    ``max_payload`` is in bytes, ``keepalive`` in seconds.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
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
    ) -> None:
        self._where = f"broker {host}:{port}"
        self._host, self._port = host, port
        self._client_id = client_id
        self._filters = tuple(filters)
        self._qos = qos
        self._v5 = protocol == "5"
        self._keepalive = max(1, round(keepalive))
        self._username, self._password = username, password
        self._tls = tls
        self._max_payload = max_payload
        self._persistent = persistent
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._client: Client | None = None  # set while the network thread lives
        self._up = False  # written by the network thread only
        # The rest belongs to the network thread.
        self._connection = 0
        self._session_present = False
        self._lost = ""  # why the connection at hand ended
        self._fatal = ""  # why no other will follow

    def start(self, listener: Listener) -> None:
        """Start the network thread, which connects and keeps connected."""
        if self._thread is not None:
            raise RuntimeError("an MQTT transport is started once")
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name=f"mqtt {self._client_id}", daemon=True
        )
        self._thread.start()

    def publish(self, topic: str, data: bytes, *, qos: int, retain: bool) -> bool:
        """Hand one message to the network thread; see ``Transport.publish``."""
        if len(data) > self._max_payload:
            raise ValueError(
                f"a message of {len(data)} bytes for {topic} is over the broker's limit "
                f"of {self._max_payload}"
            )
        client = self._client
        if client is None or not self._up:
            return False
        code = client.publish(topic, data, qos, retain).rc
        # Lost in this instant: paho keeps a QoS 1 message and sends it again by itself.
        return code == paho.MQTT_ERR_SUCCESS or (code == paho.MQTT_ERR_NO_CONN and qos > 0)

    def stop(self, farewell: Publication | None = None) -> None:
        """Publish ``farewell`` and wait shortly for its PUBACK, disconnect, end the thread."""
        client, thread = self._client, self._thread
        if thread is None:
            return
        if client is not None and self._up and farewell is not None:
            info = client.publish(farewell.topic, farewell.data, farewell.qos, farewell.retain)
            try:
                info.wait_for_publish(_FAREWELL)
            except (RuntimeError, ValueError) as exc:
                log.info("%s: the farewell did not go out: %s", self._where, exc)
        self._stopping.set()
        if client is not None:
            client.disconnect()  # also wakes the network thread
        if thread is not threading.current_thread():
            thread.join(_JOIN)

    # What follows is called on the network thread.

    def _run(self, listener: Listener) -> None:
        """Connect, listen, come back; the network thread."""
        try:
            client = self._client = self._make_client(listener)
            self._keep_connected(client, listener)
        except BrokerError as exc:
            self._fatal = str(exc)
        except Exception as exc:
            log.exception("%s: the network thread failed", self._where)
            self._fatal = f"{self._where}: the network thread failed: {exc!r}"
        finally:
            self._up = False
            self._client = None
        if self._fatal and not self._stopping.is_set():
            _guarded(listener.on_fatal)(self._fatal)

    def _keep_connected(self, client: Client, listener: Listener) -> None:
        backoff = Backoff()
        evictions = 0
        while not self._stopping.is_set():
            begun = time.monotonic()
            was_up = self._one_connection(client, listener)
            if self._stopping.is_set() or self._fatal:
                return
            held = time.monotonic() - begun
            if held > _STABLE:
                backoff.reset()
            # MQTT 3.1.1 gives no reason when a session is taken over: the broker just closes.
            # When it does so time and again, and lets us in at once each time, that is why.
            evictions = evictions + 1 if was_up and held <= _STABLE else 0
            if evictions == _EVICTIONS:
                self._fatal = sentences.evicted(self._where, self._client_id, evictions)
                return
            _guarded(listener.on_down)(self._lost)
            self._stopping.wait(backoff.next())

    def _one_connection(self, client: Client, listener: Listener) -> bool:
        """Connect and stay until the connection ends; whether it was up."""
        self._connection += 1
        self._lost = ""
        will = listener.will(self._connection)
        if will is None:
            client.will_clear()
        else:
            client.will_set(will.topic, will.data, will.qos, will.retain)
        try:
            client.reconnect()
            return self._stay(client)
        except (OSError, UnicodeError) as exc:  # UnicodeError: a host name that cannot be one
            self._lost = sentences.failure(self._where, exc)
        except Exception:
            # paho does not expect every packet that is none.
            log.exception("%s: the broker's packets make no sense", self._where)
            self._lost = f"{self._where}: the broker's packets make no sense; is it an MQTT broker?"
        self._up = False
        return False

    def _stay(self, client: Client) -> bool:
        deadline = time.monotonic() + _ANSWER
        was_up = False
        # Nothing is due while idle but paho's keepalive, which may be a quarter late: brokers
        # wait one and a half times as long.
        idle = self._keepalive / 4
        while client.socket() is not None and not self._fatal:
            was_up = was_up or self._up
            if was_up:
                client.loop(idle)
            else:
                client.loop(max(0.0, min(deadline - time.monotonic(), 1.0)))
                if not self._up and time.monotonic() > deadline:
                    self._lost = f"{self._where}: no answer to CONNECT or SUBSCRIBE"
                    break
        self._up = False
        if not self._lost:
            self._lost = f"{self._where}: the broker closed the connection" + (
                "" if was_up else " without an answer; is it an MQTT broker?"
            )
        return was_up

    def _make_client(self, listener: Listener) -> Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if self._v5 else not self._persistent,
            protocol=paho.MQTTv5 if self._v5 else paho.MQTTv311,
            reconnect_on_failure=False,  # nor a silent downgrade to MQTT 3.1
        )
        client.max_inflight_messages_set(MAX_INFLIGHT)
        client.max_queued_messages_set(MAX_QUEUED)
        client.username_pw_set(self._username, self._password)
        if self._tls is not None:
            client.tls_set_context(context(self._tls))
        properties = None
        if self._v5 and self._persistent:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY
        client.connect_async(
            self._host,
            self._port,
            self._keepalive,
            clean_start=not self._persistent,
            properties=properties,
        )
        client.on_socket_open = _guarded(_send_at_once)
        # With this callback set, publish() from another thread only wakes the network thread;
        # without it both would write to the socket.
        client.on_socket_register_write = _nothing
        client.on_connect = _guarded(self._on_connect(listener))
        client.on_subscribe = _guarded(self._on_subscribe(listener))
        client.on_message = _guarded(_on_message(listener))
        client.on_publish = _guarded(self._on_publish)
        client.on_disconnect = _guarded(self._on_disconnect)
        return client

    def _on_connect(self, listener: Listener) -> Callable[..., None]:
        def on_connect(
            client: Client, _: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties
        ) -> None:
            if reason.is_failure:
                self._ended(reason)
                return
            self._session_present = flags.session_present
            window = getattr(properties, "ReceiveMaximum", MAX_INFLIGHT)
            # paho has no public way to learn MQTT 5's receive maximum, and a broker closes on
            # who exceeds it.
            client._max_inflight_messages = min(window, MAX_INFLIGHT)  # noqa: SLF001
            if self._filters:
                client.subscribe([(topic_filter, self._qos) for topic_filter in self._filters])
            else:
                self._now_up(listener)

        return on_connect

    def _on_subscribe(self, listener: Listener) -> Callable[..., None]:
        def on_subscribe(
            _c: Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Properties | None
        ) -> None:
            for topic_filter, reason in zip(self._filters, reasons, strict=True):
                if reason.is_failure:
                    self._fatal = (
                        f"{self._where}: the broker refuses {self._client_id!r} the subscription "
                        f"to {topic_filter} ({reason.getName()})"
                    )
                    return
                if reason.value < self._qos:
                    log.warning(
                        "%s: %s is subscribed at QoS %d only",
                        self._where,
                        topic_filter,
                        reason.value,
                    )
            self._now_up(listener)

        return on_subscribe

    def _now_up(self, listener: Listener) -> None:
        self._up = True
        listener.on_up(self._connection, self._session_present)

    def _on_publish(
        self, client: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties | None
    ) -> None:
        """Look at the PUBACK: in MQTT 5 it may say no, and paho drops the message either way."""
        if not reason.is_failure:
            return
        message = client._out_messages.get(mid)  # noqa: SLF001 - paho tells the number alone
        topic = "a topic" if message is None else message.topic
        if reason.value == sentences.NOT_AUTHORISED:
            self._fatal = f"{self._where}: {self._client_id!r} may not publish on {topic}"
        else:
            log.error("%s: a message on %s was refused (%s)", self._where, topic, reason.getName())

    def _on_disconnect(
        self, _c: Client, _u: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self._up = False
        if flags.is_disconnect_packet_from_server:
            self._ended(reason)
        elif reason.getName() == "Keep alive timeout":
            self._lost = f"{self._where}: silent for longer than the keepalive"

    def _ended(self, reason: ReasonCode) -> None:
        """Take in the broker's word on why a connection ends."""
        self._lost = sentences.refused(
            self._where, reason.value, reason.getName(), self._client_id, self._username
        )
        if sentences.is_fatal(reason.value):
            self._fatal = self._lost


def _on_message(listener: Listener) -> Callable[..., None]:
    def on_message(_c: Client, _u: Any, message: MQTTMessage) -> None:
        listener.on_message(message.topic, bytes(message.payload), message.retain)

    return on_message


def _send_at_once(_c: Client, _u: Any, sock: socket.socket) -> None:
    """Switch off Nagle's algorithm, which holds small messages back for up to 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(*_: object) -> None:
    pass


def _guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """Return ``callback`` so that what it raises is logged and does not end the thread."""

    def guarded(*args: object) -> None:
        try:
            callback(*args)
        except Exception:
            log.exception("a callback of the MQTT transport failed")

    return guarded
