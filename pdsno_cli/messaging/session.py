"""The state of an MQTT session: CONNACK, SUBACK, DISCONNECT and what follows from them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from paho.mqtt.subscribeoptions import SubscribeOptions

from pdsno_cli.messaging import mqtt_errors
from pdsno_cli.messaging.guarded import call_guarded

if TYPE_CHECKING:
    from paho.mqtt.client import ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from pdsno_cli.messaging.paho_client import PahoClient

log = logging.getLogger(__name__)

MAX_INFLIGHT = 100  # QoS 1 messages sent and not yet acknowledged by the broker


class Session:
    """Subscribes on every connect, and records why a connection ended. Network thread only.

    ``as_published`` requests the publishers' retain flags (MQTT 5 only). ``came_up`` is called once
    every filter is granted, with True if the broker kept the session.
    """

    def __init__(
        self,
        *,
        username: str | None,
        filters: Sequence[str],
        qos: int,
        came_up: Callable[[bool], None],
        as_published: bool = False,
    ) -> None:
        self._username = username
        self._filters = tuple(filters)  # grows; those requested on this connection:
        self._requested: tuple[str, ...] = ()
        self._qos = qos
        self._as_published = as_published
        self._came_up = came_up
        self._present = False
        self.connection = 0  # its number
        self.where, self._client_id = "", ""
        self._reset()

    def begin(self, where: str, client_id: str) -> None:
        """Reset for a new connection to ``where``."""
        self.where = where
        self._client_id = client_id
        self.connection += 1
        self._reset()

    def _reset(self) -> None:
        self.up = False  # read by other threads
        self.reached = False  # the host accepted the connection
        self.was_up = False
        self.over = False  # this side must end the connection
        self.renewed = False  # it ends because this side wants a new one
        self.refused = False  # the broker refused CONNECT or SUBSCRIBE
        self.taken_over = False  # the broker reports that another client uses the id
        self.lost = ""  # why the connection ended
        self.own_address = ""  # the local end of the connection
        self.keepalive: int | None = None  # seconds, if the broker sets another value
        self.largest: int | None = None  # bytes of a packet, if the broker sets a limit

    def attach(self, client: PahoClient) -> None:
        """Set the callbacks of ``client``."""
        client.on_connect = partial(call_guarded, self._on_connect)
        client.on_subscribe = partial(call_guarded, self._on_subscribe)
        client.on_disconnect = partial(call_guarded, self._on_disconnect)

    def subscribe(self, client: PahoClient | None, topic_filter: str) -> None:
        """Subscribe to one more filter, immediately if connected; from any thread."""
        if topic_filter in self._filters:
            return
        self._filters = (*self._filters, topic_filter)
        if client is not None and self.up:
            client.subscribe(self._subscriptions((topic_filter,)))

    def renew(self, reason: str) -> None:
        """Request a clean end of the connection, to be followed by another; from any thread."""
        self.lost, self.renewed = reason, True
        self.over = True

    def _on_connect(
        self,
        client: PahoClient,
        _: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason.is_failure:
            self._ended(reason)
            self.refused = True
            return
        self._present = flags.session_present
        self.keepalive = getattr(properties, "ServerKeepAlive", None)
        self.largest = getattr(properties, "MaximumPacketSize", None)
        client.limit_inflight(
            min(getattr(properties, "ReceiveMaximum", MAX_INFLIGHT), MAX_INFLIGHT)
        )
        self._requested = self._filters
        if self._requested:
            client.subscribe(self._subscriptions(self._requested))
        else:
            self._now_up()

    def _subscriptions(self, filters: Sequence[str]) -> Any:
        if not self._as_published:
            return [(topic_filter, self._qos) for topic_filter in filters]
        options = SubscribeOptions(qos=self._qos, retainAsPublished=True)
        return [(topic_filter, options) for topic_filter in filters]

    def _on_subscribe(
        self, client: PahoClient, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        if self.up:  # a filter added later: the connection is usable without it
            if reasons[0].is_failure:
                log.warning("%s: a later subscription was refused", self.where)
            return
        if len(reasons) != len(self._requested):
            self.lost = (
                f"{self.where}: the broker answered {len(reasons)} of {len(self._requested)} "
                "subscriptions"
            )
            self.refused = self.over = True
            return
        for topic_filter, reason in zip(self._requested, reasons, strict=True):
            if reason.is_failure:
                self.lost = (
                    f"{self.where}: the broker refuses {self._client_id!r} the subscription "
                    f"to {topic_filter} ({reason.getName()})"
                )
                self.refused = self.over = True
                return
            if reason.value < self._qos:
                log.warning(
                    "%s: %s is subscribed at QoS %d only", self.where, topic_filter, reason.value
                )
        self._now_up()
        if added := self._filters[len(self._requested) :]:
            client.subscribe(self._subscriptions(added))

    def _now_up(self) -> None:
        self.up = self.was_up = True
        self._came_up(self._present)

    def _on_disconnect(
        self, _c: Any, _u: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self.up = False
        if flags.is_disconnect_packet_from_server:
            self._ended(reason)

    def _ended(self, reason: ReasonCode) -> None:
        """Record the broker's reason for the end of a connection."""
        self.lost = mqtt_errors.refused(
            self.where, reason.value, reason.getName(), self._client_id, self._username
        )
        self.taken_over = reason.value == mqtt_errors.TAKEN_OVER
