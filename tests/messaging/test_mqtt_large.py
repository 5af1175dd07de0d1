"""A packet of 256 MB is not buffered: a separate process reports its peak memory."""

from __future__ import annotations

import socket
import subprocess
import sys

LARGEST = 268_435_455  # what a remaining length can say (MQTT 5.0 section 2.1.4)
HEAD = b"\x00\x01t\x00\x07"  # topic t, packet id 7
CHUNK = bytes(1_000_000)
CHILD = """
import resource, sys, threading
from pdsno_cli.messaging.mqtt import MqttTransport
from pdsno_cli.model.addresses import Address

over = threading.Event()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

class Listener:
    def will(self, connection): return None
    def on_up(self, connection, session_present): pass
    def on_down(self, loss): print("down", loss.reason, flush=True)
    def on_alarm(self, alarm): print(alarm.event, alarm.detail["bytes"], flush=True)
    def on_message(self, arrival):
        print(arrival.topic, arrival.data.decode(), flush=True)
        arrival.release()
        over.set()

transport = MqttTransport(addresses=[Address("127.0.0.1", int(sys.argv[1]))], client_id="one")
transport.start(Listener())
over.wait(60)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
transport.stop()
"""


def test_a_packet_of_256_mb_is_skipped_acknowledged_and_named_without_being_held():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(server.getsockname()[1])],
            stdout=subprocess.PIPE,
            text=True,
        )
        peer, _ = server.accept()
        with peer:
            peer.settimeout(30)
            peer.recv(1000)
            peer.sendall(b"\x20\x02\x00\x00")
            peer.sendall(b"\x32\xff\xff\xff\x7f" + HEAD)
            left = LARGEST - len(HEAD)
            while left:
                left -= peer.send(CHUNK[: min(left, len(CHUNK))])
            assert peer.recv(4) == b"\x40\x02\x00\x07"  # PUBACK of packet 7
            peer.sendall(b"\x30\x05\x00\x01tok")
            lines = child.communicate(timeout=60)[0].splitlines()
    assert lines[:2] == [f"message_too_large {LARGEST + 5}", "t ok"]
    assert int(lines[2]) < 64  # MB, of 256
