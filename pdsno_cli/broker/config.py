"""The configuration of the embedded broker, in rumqttd's format; pure.

rumqttd keeps, for each subscribed topic filter, a log of the last segments in memory, including
messages that every subscriber has read. Its defaults allow a gigabyte per filter. Ours allow 4 MiB,
beyond which an absent subscriber loses the oldest messages, and 128 KiB for classes with a filter per
controller, which would fill the memory of a large topology within hours.

Connections are bounded by file descriptors alone. A connection over ``max_connections`` ends the
listener for good (a panic, as of 0.20), one over the descriptors waits until one is free.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pdsno_cli.model.topics import CLASSES

SEGMENT_BYTES = 512 * 1024
SEGMENTS = 8
SMALL_SEGMENT_BYTES = 64 * 1024
SMALL_SEGMENTS = 2
# Classes of topics with a filter per controller.
SMALL = tuple(
    name for name, item in CLASSES.items() if item.patterns == (f"{name}/{{controller_id}}",)
)
INFLIGHT = 100  # unacknowledged QoS 1 messages to one client
CONNECT_TIMEOUT = 10_000  # milliseconds within which a client must send CONNECT
_OVERHEAD = 70_000  # bytes of a packet without its payload: a topic of up to 65,535

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the embedded broker, with a port for each version. ``max_payload`` is in bytes.

    ``files`` is its limit of file descriptors, ``root`` the topic root of its topology.
    """

    max_payload: int
    files: int
    root: str
    port_311: int
    port_5: int


def toml(settings: Settings) -> str:
    """Return the configuration file for ``settings``."""
    listeners = [
        _listener(version, port, settings.max_payload)
        for version, port in (("v4", settings.port_311), ("v5", settings.port_5))
    ]
    return f"""\
id = 0

[router]
id = 0
max_connections = {settings.files + 1}
max_outgoing_packet_count = 200
max_segment_size = {SEGMENT_BYTES}
max_segment_count = {SEGMENTS}

[router.custom_segment]
{"".join(_small(f"{settings.root}/{name}/+") for name in SMALL)}
{"".join(listeners)}"""


def _small(topic_filter: str) -> str:
    # A JSON string is a TOML string, too.
    return (
        f"{json.dumps(topic_filter)} = {{ max_segment_size = {SMALL_SEGMENT_BYTES}, "
        f"max_segment_count = {SMALL_SEGMENTS} }}\n"
    )


def _listener(version: str, port: int, max_payload: int) -> str:
    return f"""\
[{version}.1]
name = "{version}"
listen = "{HOST}:{port}"
next_connection_delay_ms = 0

[{version}.1.connections]
connection_timeout_ms = {CONNECT_TIMEOUT}
max_payload_size = {max_payload + _OVERHEAD}
max_inflight_count = {INFLIGHT}
dynamic_filters = true

"""
