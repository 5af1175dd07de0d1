"""paho's client, read and written in bulk; the one module that knows paho from within.

paho reads a packet's header byte by byte and writes packet by packet, each time with a system call
that gives the GIL away, and takes some 25 µs for a message besides. Here one call reads all that
has come and one writes all that is due. PUBLISH is read here and acknowledged by who called for
it, and a plain PUBACK is taken in here; every other packet is handed on to paho.

What it takes for granted of paho's inside is told in ``tests/messaging/test_paho_client.py``.
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

_READ = 262_144  # bytes read at once: for each turn a busy owner lets this thread wait
_WRITE = 65_536  # bytes beyond which a write is not added to


class PahoClient(paho.Client):
    """Driven by one thread: ``adopt``, ``reconnect``, then ``receive`` and ``send`` when ready.

    ``hear`` gets every PUBLISH, at any QoS, and must not raise. ``wake`` is called from the thread
    that publishes when there is something to send.
    """

    def __init__(
        self,
        *,
        client_id: str,
        protocol: Literal["3.1.1", "5"],
        clean: bool,
        hear: Callable[[wire.Published], None],
        wake: Callable[[], None],
    ) -> None:
        self._v5 = protocol == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if self._v5 else clean,
            protocol=paho.MQTTv5 if self._v5 else paho.MQTTv311,
            reconnect_on_failure=False,  # nor a silent downgrade to MQTT 3.1
        )
        self._hear = hear
        self._opened: socket.socket | None = None
        self._parts: list[bytes] = []  # of a packet that has not all come
        self._lacking = 0  # bytes of it
        self._leaving = False
        # With this callback set, publish() from another thread only wakes the network thread,
        # once until all is sent; without it both would write to the socket.
        self.on_socket_register_write = lambda *_: wake()

    def prepare(self, keepalive: int, *, clean_start: bool, properties: Properties | None) -> None:
        """Set what every CONNECT says, the last two in MQTT 5; ``keepalive`` is in seconds."""
        # paho wants an address, though the socket is ours.
        self.connect_async("-", 1, keepalive, clean_start=clean_start, properties=properties)

    def adopt(self, sock: socket.socket) -> None:
        """Take ``sock`` as the connection that ``reconnect`` will use."""
        self._opened = sock
        self._parts, self._lacking = [], 0
        self._leaving = False

    def _create_socket(self) -> Any:
        """Give paho the socket that is open already."""
        sock, self._opened = self._opened, None
        return sock

    def receive(self) -> bool:
        """Deal with what has come; whether anything had. Closes the socket at its end.

        MalformedError, or whatever paho raises, when it is no MQTT.
        """
        sock = self._sock
        heard = False
        while sock is not None and self._sock is sock:
            try:
                data = self._sock_recv(_READ)
            except BlockingIOError:
                return heard
            except OSError:
                data = b""
            if not data:
                self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
                return heard
            heard = True
            if not self._leaving:
                self._take(data)
            # What TLS has deciphered already does not make the socket ready.
            if not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return True
        return heard

    def _take(self, data: bytes) -> None:
        """Deal with every packet that is whole with ``data``; keep the rest."""
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
        hear, v5, done = self._hear, self._v5, False
        for packet in packets:
            command, start, stop = packet
            if command & 0xF0 == wire.PUBLISH:
                hear(wire.published(data, packet, v5=v5))
            # Without a reason (MQTT 5.0 section 3.4.2.1), and not of QoS 2.
            elif command == wire.PUBACK and stop - start == 2:
                self._acknowledged(data[start] << 8 | data[start + 1])
                done = True
            else:
                code = self._hand_on(command, data[start:stop])
                if code:
                    self._loop_rc_handle(code)
                if self._sock is None:
                    return
        if done:
            with self._out_message_mutex:
                self._update_inflight()

    def _acknowledged(self, packet_id: int) -> None:
        """Forget a message that the broker took, at a tenth of what paho takes for it."""
        with self._out_message_mutex:
            message = self._out_messages.pop(packet_id, None)
            if message is not None:
                message.info._set_as_published()  # noqa: SLF001 - as paho does
                self._inflight_messages -= 1

    def _hand_on(self, command: int, body: bytes) -> MQTTErrorCode:
        """Let paho deal with a packet."""
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
        """Send ``answers``, whole packets, after all that waits; as much as the socket takes."""
        if answers:
            self._out_packet.append(_plain(answers))
        self._join()
        self.loop_write()

    def leave(self, answers: bytes) -> None:
        """Send ``answers`` and a DISCONNECT after all that waits; drop what comes from now on.

        paho's own ``disconnect`` closes the socket with the last byte written.
        """
        self._leaving = True
        self.send(answers + wire.DISCONNECT)

    def _join(self) -> None:
        """Make the packets at the head of paho's queue one, so that they are written at once.

        PUBLISH at QoS 0 stays as it is: paho looks at it when it is written.
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
        """Have at most ``window`` messages of QoS 1 and 2 under way; while CONNACK is dealt with.

        paho sends all again that it holds, and a broker closes on who exceeds its receive maximum.
        """
        with self._out_message_mutex:
            self._max_inflight_messages = window
            for number, message in enumerate(self._out_messages.values()):
                if number >= window:
                    message.state = paho.mqtt_ms_queued

    def topic_of(self, packet_id: int) -> str | None:
        """Return the topic of a message that is not acknowledged."""
        message = self._out_messages.get(packet_id)
        return None if message is None else message.topic

    def hang_up(self) -> None:
        """Close the connection; what is not sent is dropped."""
        self._sock_close()


def _is_plain(packet: Any) -> bool:
    return bool(packet["command"] & 0xF0 != wire.PUBLISH or packet["qos"])


def _plain(data: bytes) -> Any:
    """Return bytes as an entry of paho's queue that it writes and forgets."""
    return {
        "command": wire.PUBACK,
        "mid": 0,
        "qos": 1,
        "pos": 0,
        "to_process": len(data),
        "packet": data,
        "info": None,
    }
