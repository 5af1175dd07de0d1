"""Requests and answers in pysnmp's codec, the oracle of the lab's own."""

from __future__ import annotations

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c


def request(pdu, oids, first=0, second=0, *, community="lab", request_id=7):
    """Return a request for these OIDs."""
    api = v2c.apiBulkPDU if isinstance(pdu, v2c.GetBulkRequestPDU) else v2c.apiPDU
    api.set_defaults(pdu)
    api.set_request_id(pdu, request_id)
    if api is v2c.apiBulkPDU:
        api.set_non_repeaters(pdu, first)
        api.set_max_repetitions(pdu, second)
    api.set_varbinds(pdu, [(oid, v2c.null) for oid in oids])
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def read(data):
    """Return request-id, error status, error index, and pairs of OID and pysnmp's value."""
    message, rest = decoder.decode(data, asn1Spec=v2c.Message())
    assert not rest
    pdu = v2c.apiMessage.get_pdu(message)
    assert isinstance(pdu, v2c.GetResponsePDU)
    pairs = [(tuple(oid), value) for oid, value in v2c.apiPDU.get_varbinds(pdu)]
    api = v2c.apiPDU
    return (
        int(api.get_request_id(pdu)),
        int(api.get_error_status(pdu)),
        int(api.get_error_index(pdu)),
        pairs,
    )
