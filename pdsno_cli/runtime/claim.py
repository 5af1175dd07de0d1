"""Identifies the processes that run as one controller, by its status messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.messaging.client_id_owner import ClientIdClaim, ClientIdOwner
from pdsno_cli.model.messages import Status
from pdsno_cli.model.refusals import RefusedError
from pdsno_cli.runtime.process_label import process_label

if TYPE_CHECKING:
    from pdsno_cli.messaging.codec import Codec
    from pdsno_cli.spec.topology import Topology


class _Payload(msgspec.Struct):
    state: str = ""
    holder: str = ""
    heartbeat: float = 0.0


class _Unsigned(msgspec.Struct):
    payload: _Payload


def claim(topology: Topology, codec: Codec, controller_id: str, epoch: int) -> ClientIdClaim:
    """Return the claim of this process to be ``controller_id``, in its ``epoch``."""

    def read(topic: str, data: bytes) -> ClientIdOwner | None:
        return read_status(codec, topic, data)

    return ClientIdClaim(
        topology.topics.status(controller_id), process_label(topology.name), epoch, read
    )


def read_status(codec: Codec, topic: str, data: bytes) -> ClientIdOwner | None:
    """Return who published a status message, None for a death and for what is not one.

    Its epoch is 0 where the signature is not of the codec's key.
    """
    try:
        envelope = codec.open(topic, data)
    except RefusedError:
        try:
            payload = msgspec.json.decode(data, type=_Unsigned).payload
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if payload.state not in ("birth", "heartbeat"):
            return None
        return ClientIdOwner(payload.holder, 0, payload.heartbeat)
    status = envelope.payload
    if not isinstance(status, Status) or status.state == "death":
        return None
    return ClientIdOwner(status.holder, envelope.epoch, status.heartbeat)
