"""One connection to a broker, from dialling to its end; network thread only."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pdsno_cli.messaging import mqtt_errors
from pdsno_cli.messaging.dial import Dialler, StoppedError
from pdsno_cli.messaging.silence import Silence
from pdsno_cli.messaging.waker import READ, WRITE
from pdsno_cli.model.addresses import Address

if TYPE_CHECKING:
    import socket

    from pdsno_cli.messaging.paho_client import PahoClient
    from pdsno_cli.messaging.releases import Releases
    from pdsno_cli.messaging.session import Session
    from pdsno_cli.messaging.waker import Waker

log = logging.getLogger(__name__)

_PATIENCE = 10.0  # seconds within which a broker takes a connection, and answers CONNECT
_LEAVE = 1.0  # seconds to wait until the broker has read our last packets


class Connection:
    """Reads, writes and pings until the broker or ``stopping`` ends it.

    ``session`` tells afterwards how it was and why it ended. ``waker`` is rung when there is
    something to send, to acknowledge, or when ``stopping`` turns true.
    """

    def __init__(
        self,
        *,
        client: PahoClient,
        session: Session,
        releases: Releases,
        waker: Waker,
        stopping: Callable[[], bool],
        keepalive: int,
        source: str | None,
    ) -> None:
        self._client = client
        self._session = session
        self._releases = releases
        self._waker = waker
        self._stopping = stopping
        self._keepalive = keepalive
        self._source = source
        self._patience = min(_PATIENCE, 1.5 * keepalive)

    def run(self, address: Address, tls: ssl.SSLContext | None) -> None:
        """Connect to ``address`` and stay until the connection ends."""
        client, session, where = self._client, self._session, self._session.where
        try:
            dialler = Dialler(self._waker, self._stopping, self._patience, self._source)
            sock = dialler.open(address.host, address.port, tls)
            session.reached = True
            session.own_address = _own_address(sock)
            client.adopt(sock)
            client.reconnect()
            self._waker.watch(sock)
            self._stay()
        except StoppedError:
            pass
        except (OSError, UnicodeError) as exc:  # UnicodeError: a host name that cannot be one
            session.reached = session.reached or isinstance(exc, ssl.SSLError)
            session.lost = mqtt_errors.failure(where, exc)
        except Exception as exc:
            log.debug("%s: the broker's packets make no sense", where, exc_info=True)
            session.lost = (
                f"{where}: the broker's packets make no sense ({type(exc).__name__}); "
                "is it an MQTT broker?"
            )
        finally:
            session.up = False
            self._waker.watch(None)
            client.hang_up()
        if not session.lost:
            session.lost = f"{where}: the broker closed the connection" + (
                "" if session.was_up else " without an answer; is it an MQTT broker?"
            )

    def _stay(self) -> None:
        client, session = self._client, self._session
        silence = Silence(self._keepalive, time.monotonic())
        patience = time.monotonic() + self._patience
        while not (session.over or self._stopping()):
            client.send(self._releases.due())
            if client.socket() is None:
                return
            until = silence.next() if session.was_up else patience
            heard = bool(self._wait(until) & READ) and client.receive()
            now = time.monotonic()
            if heard:
                silence.heard(now)
                silence.keepalive = session.keepalive or self._keepalive
            elif not session.was_up and now >= patience:
                session.lost = f"{session.where}: no answer to CONNECT or SUBSCRIBE"
                return
            elif silence.lost(now):
                session.lost = f"{session.where}: silent for longer than the keepalive"
                return
            if session.was_up and silence.ping_due(now):
                client.ping()
                silence.pinged(now)
        if self._stopping() or session.renewed:  # else the will shall tell of it
            self._leave()

    def _leave(self) -> None:
        """Disconnect without a will, and stay until the broker that let us in closes.

        Who closes first, with anything unread, resets the connection. A broker that is sending
        then takes it for lost: it publishes the will, and may not read our last packets.
        """
        client = self._client
        client.leave(self._releases.due())
        deadline = time.monotonic() + (_LEAVE if self._session.was_up else 0.0)
        while client.socket() is not None and time.monotonic() < deadline:
            ready = self._wait(deadline)
            if ready & READ:
                client.receive()
            client.send()

    def _wait(self, until: float) -> int:
        """Return what the socket is ready for: to be read, or written to where that is wanted."""
        events = READ | WRITE if self._client.want_write() else READ
        return self._waker.wait(events, until - time.monotonic())


def _own_address(sock: socket.socket) -> str:
    try:
        host, port = sock.getsockname()[:2]
    except OSError:
        return ""
    return str(Address(host, port))
