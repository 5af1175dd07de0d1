"""One connection to a broker, from dialling to its end; network thread only."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.messaging import mqtt_errors
from pdsno_cli.messaging.dial import Dialler, StoppedError
from pdsno_cli.messaging.keepalive import Keepalive
from pdsno_cli.messaging.self_pipe import READ, WRITE
from pdsno_cli.model.addresses import Address

if TYPE_CHECKING:
    import socket

    from pdsno_cli.messaging.inbound_inflight import InboundInflight
    from pdsno_cli.messaging.paho_client import PahoClient
    from pdsno_cli.messaging.self_pipe import SelfPipePoller
    from pdsno_cli.messaging.session import Session

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT = 10.0  # seconds for TCP, for TLS, and for the answers to CONNECT and SUBSCRIBE
_LEAVE_TIMEOUT = 1.0  # seconds for the broker to read our last packets


class Connection:
    """Reads, writes and pings until the broker or ``stopping`` ends it.

    ``session`` records the result. Wake ``poller`` when there is something to send or to
    acknowledge, and when ``stopping`` turns true.
    """

    def __init__(
        self,
        *,
        client: PahoClient,
        session: Session,
        inflight: InboundInflight,
        poller: SelfPipePoller,
        stopping: Callable[[], bool],
        keepalive: int,
        source: str | None,
    ) -> None:
        self._client = client
        self._session = session
        self._inflight = inflight
        self._poller = poller
        self._stopping = stopping
        self._keepalive = keepalive
        self._source = source
        self._timeout = min(_CONNECT_TIMEOUT, 1.5 * keepalive)

    def run(self, address: Address, tls: ssl.SSLContext | None) -> None:
        """Connect to ``address`` and stay until the connection ends."""
        client, session, where = self._client, self._session, self._session.where
        try:
            dialler = Dialler(self._poller, self._stopping, self._timeout, self._source)
            sock = dialler.open(address.host, address.port, tls)
            session.reached = True
            session.own_address = _own_address(sock)
            client.adopt(sock)
            client.reconnect()
            self._poller.watch(sock)
            self._stay()
        except StoppedError:
            pass
        except (OSError, UnicodeError) as exc:  # UnicodeError: an invalid host name
            session.reached = session.reached or isinstance(exc, ssl.SSLError)
            session.lost = mqtt_errors.failure(where, exc)
        except Exception as exc:
            log.debug("%s: invalid MQTT packets", where, exc_info=True)
            session.lost = (
                f"{where}: the broker sends invalid packets ({type(exc).__name__}); "
                "is it an MQTT broker?"
            )
        finally:
            session.up = False
            self._poller.watch(None)
            client.hang_up()
        if not session.lost:
            session.lost = f"{where}: the broker closed the connection" + (
                "" if session.was_up else " without an answer; is it an MQTT broker?"
            )

    def _stay(self) -> None:
        client, session = self._client, self._session
        keepalive = Keepalive(self._keepalive, time.monotonic())
        deadline = time.monotonic() + self._timeout
        while not (session.over or self._stopping()):
            client.send(self._inflight.pop_acks())
            if client.socket() is None:
                return
            until = keepalive.deadline() if session.was_up else deadline
            received = bool(self._wait(until) & READ) and client.receive()
            now = time.monotonic()
            if received:
                keepalive.received(now)
                keepalive.seconds = session.keepalive or self._keepalive
            elif not session.was_up and now >= deadline:
                session.lost = f"{session.where}: no answer to CONNECT or SUBSCRIBE"
                return
            elif keepalive.expired(now):
                session.lost = f"{session.where}: silent for longer than the keepalive"
                return
            if session.was_up and keepalive.ping_due(now):
                client.ping()
                keepalive.ping_sent(now)
        if self._stopping() or session.renewed:  # else the will is wanted
            self._leave()

    def _leave(self) -> None:
        """Disconnect without a will, and wait until the broker closes the connection.

        Closing a socket with unread data resets the connection. A broker that is sending then takes
        it for lost: it publishes the will, and may not read our last packets.
        """
        client = self._client
        client.leave(self._inflight.pop_acks())
        deadline = time.monotonic() + (_LEAVE_TIMEOUT if self._session.was_up else 0.0)
        while client.socket() is not None and time.monotonic() < deadline:
            ready = self._wait(deadline)
            if ready & READ:
                client.receive()
            client.send()

    def _wait(self, until: float) -> int:
        """Wait until ``until`` for the socket to be readable or, with data to send, writable."""
        events = READ | WRITE if self._client.want_write() else READ
        return self._poller.wait(events, until - time.monotonic())


def _own_address(sock: socket.socket) -> str:
    try:
        host, port = sock.getsockname()[:2]
    except OSError:
        return ""
    return str(Address(host, port))
