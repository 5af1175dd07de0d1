"""The internals of paho that ``PahoClient`` relies on: fails if an upgrade of paho changes them."""

from __future__ import annotations

import ast
import inspect
import socket
import threading
import time
from collections import deque

import paho.mqtt.client as paho
import pytest

from pdsno_cli.messaging import paho_client
from pdsno_cli.messaging.paho_client import PahoClient
from pdsno_cli.messaging.wire import MalformedError

LIMIT = 10_000
OURS = {
    "_v5",
    "_on_publish_received",
    "_opened",
    "_parts",
    "_lacking",
    "_consume",
    "_delegate",
    "_coalesce",
    "_leaving",
    "_acknowledge_sent",
    "_dispatch",
    "_limit",
    "_on_refused",
    "_skip",
    "_skipping",
    "_on_too_large",
}


@pytest.fixture
def pair():
    """A client that is connected, and the broker's end of its socket."""
    ours, theirs = socket.socketpair()
    woken: list[None] = []
    skipped: list[tuple] = []
    client = PahoClient(
        protocol="3.1.1",
        limit=LIMIT,
        on_publish_received=lambda _: None,
        on_too_large=lambda message, size: skipped.append((message, size)),
        on_refused=lambda *_: None,
        wake=lambda: woken.append(None),
    )
    client.woken = woken
    client.skipped = skipped
    client.prepare("one", 10, clean=True, properties=None)
    client.adopt(ours)
    client.reconnect()
    client.send()
    theirs.settimeout(5)
    assert theirs.recv(100)[0] == 0x10
    theirs.sendall(b"\x20\x02\x00\x00")
    assert client.receive()
    woken.clear()
    yield client, theirs
    client.hang_up()
    theirs.close()


def test_every_private_name_that_is_used_is_known_to_paho():
    tree = ast.parse(inspect.getsource(paho_client))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr[1] != "_"
    }
    plain = paho.Client(paho.CallbackAPIVersion.VERSION2)
    known = {*dir(plain), *dir(paho.MQTTMessageInfo)}
    assert used - OURS - known == set()
    assert not [name for name in OURS if hasattr(plain, name)]
    assert hasattr(plain, "_create_socket")
    assert isinstance(plain._out_packet, deque)


def test_the_socket_that_was_adopted_is_the_one_that_is_used(pair):
    client, _ = pair
    assert client.socket() is not None
    assert client.socket().gettimeout() == 0
    assert client.is_connected()


def test_many_publications_wake_once_and_are_one_write(pair):
    client, theirs = pair
    for number in range(10):
        client.publish("t", b"%d" % number, 1)
    assert len(client.woken) == 1
    assert client.want_write()
    client._coalesce()
    assert len(client._out_packet) == 1
    client.send(b"\x40\x02\x00\x01")
    assert not client.want_write()
    sent = theirs.recv(10_000)
    assert sent.startswith(b"\x32\x06\x00\x01t\x00\x010")
    assert sent.endswith(b"\x40\x02\x00\x01")
    client.publish("t", b"later", 1)
    assert len(client.woken) == 2


def test_unsent_bytes_are_sent_later_in_order(pair):
    client, theirs = pair
    client.socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 5000)
    data = [bytes([65 + number]) * 30_000 for number in range(10)]
    for item in data:
        client.publish("t", item, 1)
    received = b""
    while client.want_write() or len(received) < 300_000:
        client.send()
        received += theirs.recv(1_000_000)
    assert [received.index(item) for item in data] == sorted(received.index(item) for item in data)


def test_qos_0_is_published_once_it_is_written(pair):
    client, _ = pair
    info = client.publish("t", b"", 0)
    assert not info.is_published()
    client.send()
    assert info.is_published()


def test_a_message_published_while_pubacks_are_handled_does_not_overtake_a_queued_one(pair):
    client, theirs = pair
    client.limit_inflight(1)
    first = client.publish("t", b"1", 1)
    client.publish("t", b"2", 1)
    client.send()
    assert theirs.recv(100) == b"\x32\x06\x00\x01t\x00\x011"

    def publish_elsewhere(_) -> None:
        other = threading.Thread(target=client.publish, args=("t", b"3", 1))
        other.start()
        other.join()

    client._on_publish_received = publish_elsewhere
    theirs.sendall(b"\x40\x02" + first.mid.to_bytes(2, "big") + b"\x30\x03\x00\x01t")
    assert client.receive()
    client.send()
    assert theirs.recv(100) == b"\x32\x06\x00\x01t\x00\x022"


def test_a_puback_ends_a_message_and_lets_the_next_go(pair):
    client, theirs = pair
    client.limit_inflight(1)
    first, second = client.publish("t", b"1", 1), client.publish("t", b"2", 1)
    client.send()
    assert theirs.recv(100) == b"\x32\x06\x00\x01t\x00\x011"
    theirs.sendall(b"\x40\x02" + first.mid.to_bytes(2, "big"))
    assert client.receive()
    assert first.is_published()
    client.send()
    assert theirs.recv(100) == b"\x32\x06\x00\x01t\x00\x022"
    assert not second.is_published()


def test_a_receive_maximum_holds_for_what_is_sent_again():
    received: list[int] = []
    client = PahoClient(
        protocol="5",
        limit=LIMIT,
        on_publish_received=lambda _: None,
        on_too_large=lambda *_: None,
        on_refused=lambda *_: None,
        wake=lambda: None,
    )
    client.on_connect = lambda *_: client.limit_inflight(3)
    client.prepare("one", 10, clean=False, properties=None)
    for _ in range(2):
        ours, theirs = socket.socketpair()
        client.adopt(ours)
        client.reconnect()
        client.send()
        theirs.settimeout(5)
        theirs.recv(100)
        theirs.sendall(b"\x20\x03\x00\x00\x00")
        assert client.receive()
        if not received:
            for number in range(10):
                client.publish("t", b"%d" % number, 1)
        client.send()
        received.append(theirs.recv(1000).count(b"\x00\x01t"))
        theirs.close()
    client.hang_up()
    assert received == [3, 3]


def test_ping_is_two_bytes_and_its_answer_is_handled(pair):
    client, theirs = pair
    client.ping()
    client.send()
    assert theirs.recv(10) == b"\xc0\x00"
    theirs.sendall(b"\xd0\x00")
    assert client.receive()
    assert client.socket() is not None


def test_the_end_of_the_connection_closes_the_socket(pair):
    client, theirs = pair
    theirs.close()
    assert not client.receive()
    assert client.socket() is None


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_packet_over_the_limit_passes_unread_and_what_follows_is_read(pair, qos):
    client, theirs = pair
    received = []
    client._on_publish_received = received.append
    packet_id = b"\x00\x07" if qos else b""
    size = 2_000_000  # more than one read
    large = b"\x00\x05" + b"large" + packet_id
    length = len(large) + size
    header = bytes((0x30 | qos << 1, length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14))
    small = b"\x30\x06\x00\x01sabc"
    data = header + large + bytes(size) + small
    # The head comes in pieces, as it may from a network.
    pieces = [data[:1], data[1:3], data[3:6], data[6:11]]
    for piece in pieces:
        theirs.sendall(piece)
        client.receive()
    data = data[11:]
    writer = threading.Thread(target=theirs.sendall, args=(data,))
    writer.start()
    most = 0
    deadline = time.monotonic() + 5
    while ("s", b"abc") not in [item[:2] for item in received] and time.monotonic() < deadline:
        client.receive()
        most = max(most, sum(map(len, client._parts)))
    writer.join()
    assert client.skipped == [(("large", b"", False, qos, 7 if qos else 0), len(header) + length)]
    assert [(topic, payload) for topic, payload, *_ in received] == [("s", b"abc")]
    assert most < LIMIT + 262_144


def test_a_packet_over_the_limit_that_is_not_a_publish_is_malformed(pair):
    client, theirs = pair
    theirs.sendall(b"\x90\xff\xff\xff\x7f\x00\x01")
    with pytest.raises(MalformedError):
        client.receive()
