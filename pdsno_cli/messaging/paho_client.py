"""paho's client with bulk reads and writes; the only module that uses paho's internals.

paho reads a packet's header byte by byte and writes packet by packet, each with a system call that
releases the GIL, and takes some 25 µs per message besides. Here one call reads all received bytes
and one writes all queued packets. PUBLISH and PUBACK are handled here; every other packet is passed
to paho. The owner of the client acknowledges messages.

``tests/messaging/test_paho_client.py`` lists the internals that this module relies on.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from pdsno_cli.messaging import wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from paho.mqtt.properties import Properties

_READ = 262_144  # bytes read at once: few reads, since a busy owner delays each
_FAILURE = 0x80  # the lowest reason code of a failure (MQTT 5.0 section 2.4)
_WRITE = 65_536  # bytes beyond which no packet is added to a write


class PahoClient(paho.Client):
    """Driven by one thread: ``adopt``, ``reconnect``, then ``receive`` and ``send`` when ready.

    ``on_publish_received`` is called with every PUBLISH, at any QoS, and must not raise. A packet
    over ``limit`` bytes is skipped, since the broker would send it again after a reconnect:
    ``on_too_large`` is called with the message without its payload, and its size in bytes.
    ``on_refused`` is called with topic and reason code of a message that the broker refused
    (MQTT 5). ``wake`` is called by a publishing thread when there is something to send.
    """

    def __init__(
        self,
        *,
        protocol: Literal["3.1.1", "5"],
        limit: int,
        on_publish_received: Callable[[wire.Published], None],
        on_too_large: Callable[[wire.Published, int], None],
        on_refused: Callable[[str, int], None],
        wake: Callable[[], None],
    ) -> None:
        self._v5 = protocol == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id="-",  # set for each CONNECT
            clean_session=None if self._v5 else True,
            protocol=paho.MQTTv5 if self._v5 else paho.MQTTv311,
            reconnect_on_failure=False,  # nor a silent downgrade to MQTT 3.1
        )
        self._limit = limit
        self._on_publish_received = on_publish_received
        self._on_too_large = on_too_large
        self._on_refused = on_refused
        self._opened: socket.socket | None = None
        self._parts: list[bytes] = []  # of an incomplete packet
        self._lacking = 0  # bytes that it lacks
        self._skipping = 0  # bytes to skip of a packet that is too large
        self._leaving = False
        # With this callback set, publish() on another thread only wakes the network thread, once
        # until everything is sent; without it both threads would write to the socket.
        self.on_socket_register_write = lambda *_: wake()

    def prepare(
        self, client_id: str, keepalive: int, *, clean: bool, properties: Properties | None
    ) -> None:
        """Set the fields of the next CONNECT; ``keepalive`` is in seconds, ``properties`` of MQTT 5."""
        self._client_id = client_id.encode()
        if not self._v5:
            self._clean_session = clean
        # paho requires an address, though the socket is ours.
        self.connect_async(
            "-", 1, keepalive, clean_start=clean if self._v5 else 3, properties=properties
        )

    def adopt(self, sock: socket.socket) -> None:
        """Take ``sock`` as the connection that ``reconnect`` will use."""
        self._opened = sock
        self._parts, self._lacking, self._skipping = [], 0, 0
        self._leaving = False

    def _create_socket(self) -> Any:
        """Give paho the socket that is open already."""
        sock, self._opened = self._opened, None
        return sock

    def receive(self) -> bool:
        """Handle the received bytes. Return True if there were any. Closes an ended connection.

        MalformedError, or an exception of paho's, for invalid MQTT.
        """
        sock = self._sock
        received = False
        while sock is not None and self._sock is sock:
            try:
                data = self._sock_recv(_READ)
            except BlockingIOError:
                return received
            except OSError:
                data = b""
            if not data:
                self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
                return received
            received = True
            if not self._leaving:
                self._consume(data)
            # Bytes that TLS has decrypted already do not make the socket readable.
            if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return True
        return received

    def _consume(self, data: bytes) -> None:
        """Handle every packet that ``data`` completes; keep the rest."""
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
            if not data:
                return
        if self._parts:
            self._parts.append(data)
            self._lacking -= len(data)
            if self._lacking > 0:
                return
            data = b"".join(self._parts)
            self._parts = []
        packets, rest, self._lacking = wire.split(data)
        if self._lacking:
            self._parts = [data[rest:]]
        oversized = len(data) - rest + self._lacking > self._limit
        self._dispatch(data, packets)
        if oversized and self._parts:  # else the connection ended meanwhile
            self._skip()

    def _dispatch(self, data: bytes, packets: list[wire.Packet]) -> None:
        """Handle whole packets, until one of them ends the connection."""
        deliver, v5 = self._on_publish_received, self._v5
        acknowledged: list[tuple[int, int]] = []  # packet id and reason code
        for packet in packets:
            command, start, stop = packet
            if command & 0xF0 == wire.PUBLISH:
                deliver(wire.published(data, packet, v5=v5))
            elif command == wire.PUBACK and stop - start >= 2:
                # Without a reason code it is a success (MQTT 5.0 section 3.4.2.1).
                reason = data[start + 2] if stop - start > 2 else 0
                acknowledged.append((data[start] << 8 | data[start + 1], reason))
            else:
                self._acknowledge_sent(acknowledged)
                acknowledged = []
                code = self._delegate(command, data[start:stop])
                if code:
                    self._loop_rc_handle(code)
                if self._sock is None:
                    self._parts = []
                    return
        self._acknowledge_sent(acknowledged)

    def _skip(self) -> None:
        """Skip the rest of a packet that is too large, once its topic has arrived."""
        (head,) = self._parts
        message = wire.beginning(head)
        if message is None:
            self._lacking = 1  # try again with more bytes
            return
        self._skipping, size = self._lacking, len(head) + self._lacking
        self._parts, self._lacking = [], 0
        self._on_too_large(message, size)

    def _acknowledge_sent(self, acknowledged: list[tuple[int, int]]) -> None:
        """Remove the messages that the broker acknowledged, ten times faster than paho.

        In MQTT 5 one may be refused, and paho does not know every reason code that brokers use.
        """
        if not acknowledged:
            return
        refused: list[tuple[str, int]] = []
        # At once: a message published between the two would overtake those that are queued.
        with self._out_message_mutex:
            for packet_id, reason in acknowledged:
                message = self._out_messages.pop(packet_id, None)
                if message is not None:
                    message.info._set_as_published()  # noqa: SLF001 - as paho does
                    self._inflight_messages -= 1
                if reason >= _FAILURE:
                    refused.append(("a topic" if message is None else message.topic, reason))
            self._update_inflight()
        for topic, reason in refused:
            self._on_refused(topic, reason)

    def _delegate(self, command: int, body: bytes) -> MQTTErrorCode:
        """Pass a packet to paho."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()

    def send(self, answers: bytes = b"") -> None:
        """Queue ``answers``, whole packets, and write as much of the queue as the socket accepts."""
        if answers:
            self._out_packet.append(_plain(answers))
        self._coalesce()
        self.loop_write()

    def leave(self, answers: bytes) -> None:
        """Send the queue, ``answers`` and a DISCONNECT; ignore all bytes received from now on.

        paho's own ``disconnect`` closes the socket after the last byte.
        """
        self._leaving = True
        self.send(answers + wire.DISCONNECT)

    def _coalesce(self) -> None:
        """Join the packets at the head of paho's queue, so that one call writes them.

        A PUBLISH at QoS 0 stays separate: paho inspects it once it is written.
        """
        queue = self._out_packet
        if len(queue) < 2:
            return
        pieces: list[bytes | bytearray] = []
        size = 0
        while queue and size < _WRITE and _is_plain(queue[0]):
            packet = queue.popleft()
            piece = packet["packet"]
            pieces.append(piece[packet["pos"] :] if packet["pos"] else piece)
            size += packet["to_process"]
        if pieces:
            queue.appendleft(_plain(b"".join(pieces)))

    def ping(self) -> None:
        """Queue a PINGREQ."""
        self._send_pingreq()

    def limit_inflight(self, window: int) -> None:
        """Limit unacknowledged messages of QoS 1 and 2 to ``window``; call while handling CONNACK.

        paho resends all that it holds, and a broker disconnects a client that exceeds its receive
        maximum.
        """
        with self._out_message_mutex:
            self._max_inflight_messages = window
            for number, message in enumerate(self._out_messages.values()):
                if number >= window:
                    message.state = paho.mqtt_ms_queued

    def hang_up(self) -> None:
        """Close the connection and drop unsent packets."""
        self._sock_close()


def _is_plain(packet: Any) -> bool:
    return bool(packet["command"] & 0xF0 != wire.PUBLISH or packet["qos"])


def _plain(data: bytes) -> Any:
    """Return bytes as an entry of paho's queue that it writes without tracking."""
    return {
        "command": wire.PUBACK,
        "mid": 0,
        "qos": 1,
        "pos": 0,
        "to_process": len(data),
        "packet": data,
        "info": None,
    }
