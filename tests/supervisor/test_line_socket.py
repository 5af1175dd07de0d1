"""Lines over a real socket pair, on an event loop."""

from __future__ import annotations

import asyncio
import os
import socket

from pdsno_cli.supervisor.line_socket import LineSocket


def exchanged(scenario):
    """Run a scenario with a line socket, its peer, the lines received and an event of its end."""

    async def run():
        ours, peer = socket.socketpair()
        peer.settimeout(10)
        received, ended = asyncio.Queue(), asyncio.Event()
        line = LineSocket(ours, received=received.put_nowait, ended=ended.set)
        with peer:
            async with asyncio.timeout(30):
                await scenario(line, peer, received, ended)
            line.close()

    asyncio.run(run())


def test_lines_arrive_whole_however_they_are_sent():
    async def scenario(_line, peer, received, _ended):
        peer.sendall(b"one\ntw")
        assert await received.get() == b"one"
        peer.sendall(b"o\nthree\n")
        assert [await received.get(), await received.get()] == [b"two", b"three"]

    exchanged(scenario)


def test_the_end_of_the_peer_is_reported_after_its_last_line():
    async def scenario(_line, peer, received, ended):
        peer.sendall(b"last\n")
        peer.close()
        await ended.wait()
        assert received.get_nowait() == b"last"

    exchanged(scenario)


def test_close_does_not_report_an_end():
    async def scenario(line, _peer, _received, ended):
        line.close()
        line.close()
        line.send(b"dropped\n")
        await asyncio.sleep(0)
        assert not ended.is_set()

    exchanged(scenario)


def test_send_does_not_block_and_keeps_the_order():
    async def scenario(line, peer, _received, _ended):
        data = [bytes([n % 256]) * 50_000 for n in range(40)]  # more than a socket holds
        for part in data:
            line.send(part)
        expected = b"".join(data)
        got = b""
        while len(got) < len(expected):
            got += await asyncio.to_thread(peer.recv, 1_000_000)
        assert got == expected

    exchanged(scenario)


def test_a_descriptor_is_sent_with_its_line_and_closed():
    async def scenario(line, peer, _received, _ended):
        read, write = os.pipe()
        line.send(b"here\n", write)
        data, descriptors, _, _ = socket.recv_fds(peer, 100, 4)
        assert data == b"here\n"
        os.write(descriptors[0], b"x")
        os.close(descriptors[0])
        assert os.read(read, 10) == b"x"
        assert os.read(read, 10) == b""  # the sender has closed its own
        os.close(read)

    exchanged(scenario)


def test_drain_reads_what_the_closed_peer_has_left():
    async def scenario(line, peer, received, ended):
        peer.sendall(b"one\ntwo\n")
        peer.close()
        line.drain()
        assert [received.get_nowait(), received.get_nowait()] == [b"one", b"two"]
        assert ended.is_set()

    exchanged(scenario)
