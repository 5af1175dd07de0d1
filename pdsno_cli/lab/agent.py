"""Answers SNMP v2c requests (RFC 3416) of one lab device, with pysnmp's codec."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]  # ships no types
from pysnmp.proto import rfc1905  # type: ignore[import-untyped]  # ships no types
from pysnmp.proto.api import v2c  # type: ignore[import-untyped]  # ships no types

from pdsno_cli.lab.mib import SYS_UP_TIME, Mib, Oid, Value

if TYPE_CHECKING:
    from pdsno_cli.lab.plan import LabDevice

_VERSION_2C = 1
_NOT_WRITABLE = 17
_MAX_VARBINDS = 100  # keeps every answer within one datagram

_SYNTAX = {
    "string": v2c.OctetString,
    "oid": v2c.ObjectIdentifier,
    "integer": v2c.Integer32,
    "gauge": v2c.Gauge32,
    "counter": v2c.Counter32,
    "ticks": v2c.TimeTicks,
}


class Agent:
    """The agent of one device: request bytes in, response bytes or None out."""

    def __init__(self, device: LabDevice) -> None:
        self._started = time.monotonic()
        self.change(device)

    def change(self, device: LabDevice) -> None:
        """Answer as ``device`` from now on; sysUpTime continues."""
        self._community = device.community.encode()
        self._mib = Mib(device)

    def answer(self, data: bytes) -> bytes | None:
        """Return the response to a request; None for a malformed or unauthorised one, like real agents."""
        try:
            message, _ = decoder.decode(data, asn1Spec=v2c.Message())
            if int(message[0]) != _VERSION_2C or bytes(message[1]) != self._community:
                return None
            response = self._respond(v2c.apiMessage.get_pdu(message))
        except Exception:  # noqa: BLE001 - the codec raises anything on arbitrary bytes
            return None
        if response is None:
            return None
        reply = v2c.apiMessage.get_response(message)
        v2c.apiMessage.set_pdu(reply, response)
        return bytes(encoder.encode(reply))

    def _respond(self, pdu: Any) -> Any:
        if isinstance(pdu, v2c.GetBulkRequestPDU):
            names = [tuple(oid) for oid, _ in v2c.apiBulkPDU.get_varbinds(pdu)]
            pairs = self._bulk(names, max(int(pdu[1]), 0), max(int(pdu[2]), 0))
        elif isinstance(pdu, v2c.GetNextRequestPDU):
            pairs = [self._next(tuple(oid)) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
        elif isinstance(pdu, v2c.GetRequestPDU):
            pairs = [self._get(tuple(oid)) for oid, _ in v2c.apiPDU.get_varbinds(pdu)]
        elif isinstance(pdu, v2c.SetRequestPDU):
            pairs = v2c.apiPDU.get_varbinds(pdu)
        else:
            return None
        response = v2c.apiPDU.get_response(pdu)
        if isinstance(pdu, v2c.SetRequestPDU):
            v2c.apiPDU.set_error_status(response, _NOT_WRITABLE)
            v2c.apiPDU.set_error_index(response, 1)
        v2c.apiPDU.set_varbinds(response, pairs)
        return response

    def _get(self, oid: Oid) -> tuple[Oid, Any]:
        value = self._mib.get(oid)
        return oid, rfc1905.noSuchObject if value is None else self._encode(oid, value)

    def _next(self, oid: Oid) -> tuple[Oid, Any]:
        following = self._mib.after(oid)
        return (oid, rfc1905.endOfMibView) if following is None else self._get(following)

    def _bulk(self, names: list[Oid], singles: int, repetitions: int) -> list[tuple[Oid, Any]]:
        """Answer GETBULK (RFC 3416 section 4.2.3); like real agents, it may return fewer rows."""
        pairs = [self._next(name) for name in names[:singles]]
        row = names[singles:]
        for _ in range(repetitions):
            if not row or len(pairs) + len(row) > _MAX_VARBINDS:
                break
            answers = [self._next(name) for name in row]
            pairs += answers
            if all(value is rfc1905.endOfMibView for _, value in answers):
                break
            row = [name for name, _ in answers]
        return pairs

    def _encode(self, oid: Oid, value: Value) -> Any:
        content = value.value
        if oid == SYS_UP_TIME:
            content = int((time.monotonic() - self._started) * 100) % 2**32
        return _SYNTAX[value.syntax](content)
