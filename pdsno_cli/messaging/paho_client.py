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
_FAILURE = 0x80  # the least reason code that is one (MQTT 5.0 section 2.4)
_WRITE = 65_536  # bytes beyond which a write is not added to


class PahoClient(paho.Client):
    """Driven by one thread: ``adopt``, ``reconnect``, then ``receive`` and ``send`` when ready.

    ``hear`` gets every PUBLISH, at any QoS, and must not raise. One whose packet is over ``limit``
    bytes is not read but skipped, since a reconnection would only bring it again: ``too_large`` gets
    it without its payload, and its size in bytes. ``refused`` gets topic and reason code of a
    message that the broker did not take (MQTT 5). ``wake`` is called from the thread that publishes
    when there is something to send.
    """

    def __init__(
        self,
        *,
        protocol: Literal["3.1.1", "5"],
        limit: int,
        hear: Callable[[wire.Published], None],
        too_large: Callable[[wire.Published, int], None],
        refused: Callable[[str, int], None],
        wake: Callable[[], None],
    ) -> None:
        self._v5 = protocol == "5"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id="-",  # each CONNECT names its own
            clean_session=None if self._v5 else True,
            protocol=paho.MQTTv5 if self._v5 else paho.MQTTv311,
            reconnect_on_failure=False,  # nor a silent downgrade to MQTT 3.1
        )
        self._limit = limit
        self._hear = hear
        self._too_large = too_large
        self._refused = refused
        self._opened: socket.socket | None = None
        self._parts: list[bytes] = []  # of a packet that has not all come
        self._lacking = 0  # bytes of it
        self._skipping = 0  # bytes still to come of a packet that is not read
        self._leaving = False
        # With this callback set, publish() from another thread only wakes the network thread,
        # once until all is sent; without it both would write to the socket.
        self.on_socket_register_write = lambda *_: wake()

    def prepare(
        self, client_id: str, keepalive: int, *, clean: bool, properties: Properties | None
    ) -> None:
        """Set what the next CONNECT says; ``keepalive`` is in seconds, ``properties`` of MQTT 5."""
        self._client_id = client_id.encode()
        if not self._v5:
            self._clean_session = clean
        # paho wants an address, though the socket is ours.
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
        self._deal(data, packets)
        if oversized and self._parts:  # else the connection ended meanwhile
            self._skip()

    def _deal(self, data: bytes, packets: list[wire.Packet]) -> None:
        """Deal with whole packets, until one of them ends the connection."""
        hear, v5, done = self._hear, self._v5, False
        for packet in packets:
            command, start, stop = packet
            if command & 0xF0 == wire.PUBLISH:
                hear(wire.published(data, packet, v5=v5))
            elif command == wire.PUBACK and stop - start >= 2:
                # Without a reason it was taken (MQTT 5.0 section 3.4.2.1).
                reason = data[start + 2] if stop - start > 2 else 0
                self._answered(data[start] << 8 | data[start + 1], reason)
                done = True
            else:
                code = self._hand_on(command, data[start:stop])
                if code:
                    self._loop_rc_handle(code)
                if self._sock is None:
                    self._parts = []
                    return
        if done:
            with self._out_message_mutex:
                self._update_inflight()

    def _skip(self) -> None:
        """Let the rest of a packet that is too large pass, as soon as it is known what it is."""
        (head,) = self._parts
        message = wire.beginning(head)
        if message is None:
            self._lacking = 1  # look again when more has come
            return
        self._skipping, size = self._lacking, len(head) + self._lacking
        self._parts, self._lacking = [], 0
        self._too_large(message, size)

    def _answered(self, packet_id: int, reason: int) -> None:
        """Forget a message that the broker answered, at a tenth of what paho takes for it.

        In MQTT 5 the answer may be no, and paho would not know every reason that brokers give.
        """
        with self._out_message_mutex:
            message = self._out_messages.pop(packet_id, None)
            if message is not None:
                message.info._set_as_published()  # noqa: SLF001 - as paho does
                self._inflight_messages -= 1
        if reason >= _FAILURE:
            self._refused(message.topic if message is not None else "a topic", reason)

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
