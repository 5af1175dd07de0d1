"""Opens the TCP or TLS connection to a broker, within a timeout."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from pdsno_cli.messaging.self_pipe import READ, WRITE, SelfPipePoller


class StoppedError(Exception):
    """The caller stopped the attempt."""


class Dialler:
    """Opens connections; an attempt ends once ``stopping`` is true and ``poller`` is woken.

    ``timeout`` is in seconds, for TCP and for TLS each. Only name resolution cannot be interrupted.
    Every address of a name is tried. With a ``source``, an IPv4 address, connections come from
    there, and IPv6 is tried only if every IPv4 address refuses: otherwise it would bypass filters
    on the packets of ``source``.
    """

    def __init__(
        self,
        poller: SelfPipePoller,
        stopping: Callable[[], bool],
        timeout: float,
        source: str | None = None,
    ) -> None:
        self._poller = poller
        self._stopping = stopping
        self._timeout = timeout
        self._source = source

    def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> socket.socket:
        """Return a connected, non-blocking socket.

        OSError if no address works, UnicodeError for an invalid host name, StoppedError if stopped.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._source is not None:
            found.sort(key=lambda item: item[0] != socket.AF_INET)
        failures: list[OSError] = []
        for family, kind, proto, _, address in found:
            if family != socket.AF_INET and self._source is not None and not _refused(failures):
                continue
            sock = socket.socket(family, kind, proto)
            try:
                return self._open(sock, family, address, host, tls)
            except OSError as exc:
                sock.close()
                failures.append(exc)
            except BaseException:
                sock.close()
                raise
        # An answer of an address explains more than an unsupported address family.
        answers = (item for item in failures if isinstance(item, (ConnectionError, TimeoutError)))
        raise next(answers, failures[-1] if failures else OSError("the host name has no address"))

    def _open(
        self,
        sock: socket.socket,
        family: int,
        address: object,
        host: str,
        tls: ssl.SSLContext | None,
    ) -> socket.socket:
        sock.setblocking(False)
        # Nagle's algorithm holds small messages back for up to 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._source is not None and family == socket.AF_INET:
            sock.bind((self._source, 0))
        with suppress(BlockingIOError):
            sock.connect(address)  # type: ignore[arg-type]
        self._await(sock, WRITE, time.monotonic() + self._timeout)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        if tls is None:
            return sock
        secured = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        try:
            self._shake_hands(secured)
        except BaseException:
            secured.close()
            raise
        return secured

    def _shake_hands(self, secured: ssl.SSLSocket) -> None:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                self._await(secured, READ, deadline)
            except ssl.SSLWantWriteError:
                self._await(secured, WRITE, deadline)
            else:
                return

    def _await(self, sock: socket.socket, events: int, deadline: float) -> None:
        self._poller.watch(sock)
        try:
            while True:
                if self._stopping():  # first: the wait before may have taken the wake
                    raise StoppedError
                if self._poller.wait(events, deadline - time.monotonic()):
                    return
                if time.monotonic() > deadline:
                    raise TimeoutError
        finally:
            self._poller.watch(None)


def _refused(failures: list[OSError]) -> bool:
    """Return True if every address tried so far, if any, refused the connection."""
    return all(isinstance(item, ConnectionRefusedError) for item in failures)
