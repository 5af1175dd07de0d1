"""Answers SNMP requests (RFC 3416) of one lab device: it plays its recording."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from pdsno_cli.lab import ber
from pdsno_cli.lab.mib import Mibs, Running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.lab.ber import Oid, Pdu
    from pdsno_cli.lab.mib import Mib
    from pdsno_cli.lab.plan import LabDevice
    from pdsno_cli.lab.usm import UserSecurity

_NOT_WRITABLE = 17
MAX_BYTES = 1400  # of all objects in an answer: it fits an Ethernet frame


class Agent:
    """The agent of one device: request bytes in, response bytes or None out."""

    def __init__(self, device: LabDevice, mibs: Mibs) -> None:
        self._started = time.monotonic()
        self._mibs = mibs
        self.change(device)

    def change(self, device: LabDevice) -> None:
        """Answer as ``device`` from now on; sysUpTime continues."""
        self._device = device
        self._community = device.community.encode()

    def answer(self, data: bytes) -> bytes | None:
        """Return the response to a request; None for a malformed or unauthorised one, like real agents."""
        try:
            if self._device.user is not None:
                return (
                    self._secure.answer(data) if ber.read_version(data) == ber.VERSION_3 else None
                )
            request = ber.read_request(data)
        except (ValueError, IndexError):
            return None
        if request.version != ber.VERSION_2C or request.community != self._community:
            return None
        response = self._respond(request.pdu, MAX_BYTES)
        return None if response is None else ber.message(request, response)

    @cached_property
    def _secure(self) -> UserSecurity:
        from pdsno_cli.lab import usm

        assert self._device.user is not None  # the caller has looked
        mac = bytes.fromhex(self._device.mac.replace(":", ""))
        return usm.UserSecurity(
            mac, self._device.user, lambda pdu: self._respond(pdu, usm.MAX_BYTES)
        )

    def _respond(self, pdu: Pdu, most: int) -> bytes | None:
        """Return the response PDU to a request, with objects of at most so many bytes."""
        if pdu.kind == ber.SET:
            return ber.response(pdu, pdu.bindings, error=_NOT_WRITABLE, index=1)
        mib = self._mibs.of(self._device)
        match pdu.kind:
            case ber.GET:
                bindings = [self._get(mib, oid) for oid in pdu.oids]
            case ber.GET_NEXT:
                bindings = [self._next(mib, oid)[1] for oid in pdu.oids]
            case ber.GET_BULK:
                bindings = self._bulk(mib, pdu, most)
            case _:
                return None
        return ber.response(pdu, b"".join(bindings))

    def _get(self, mib: Mib, oid: Oid) -> bytes:
        index = mib.find(oid)
        return _binding(oid, ber.NO_SUCH_OBJECT) if index is None else self._object(mib, index)

    def _next(self, mib: Mib, oid: Oid) -> tuple[Oid | None, bytes]:
        """Return the object after ``oid``, and its OID; None at the end."""
        index = mib.after(oid)
        if index is None:
            return None, _binding(oid, ber.END_OF_MIB_VIEW)
        return mib.oids[index], self._object(mib, index)

    def _object(self, mib: Mib, index: int) -> bytes:
        value = mib.values[index]
        if isinstance(value, Running):
            value = value.at(time.monotonic() - self._started)
        return _binding(mib.oids[index], value)

    def _bulk(self, mib: Mib, pdu: Pdu, most: int) -> list[bytes]:
        """Answer GETBULK (RFC 3416 section 4.2.3); like real agents, with fewer rows if they are too long."""
        singles = max(pdu.first, 0)
        found = [self._next(mib, oid)[1] for oid in pdu.oids[:singles]]
        size = sum(map(len, found))
        row: Sequence[Oid] = pdu.oids[singles:]
        for _ in range(max(pdu.second, 0)):
            if not row:
                break
            ended, following = 0, []
            for oid in row:
                after, binding = self._next(mib, oid)
                size += len(binding)
                if size > most and found:
                    return found
                found.append(binding)
                following.append(oid if after is None else after)
                ended += after is None
            if ended == len(row):
                break
            row = following
        return found


def _binding(oid: Oid, value: bytes) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.object_id(oid) + value)
