"""Answers the requests of a reading from a recording, as an agent with these objects would; pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import TypeVar

from pdsno_cli.discovery.identify.answers import Object
from pdsno_cli.discovery.snmp.ber import Oid, RawResponse, Value, read_oid
from pdsno_cli.discovery.snmp.ber_write import GET_BULK, write_integer, write_oid
from pdsno_cli.discovery.snmp.details.exchange import Request, Task

Result = TypeVar("Result")

_END = Value(0x82, b"")  # endOfMibView
_INTEGER, _OCTETS, _OID = 0x02, 0x04, 0x06


def replay(task: Task[Result], objects: Mapping[Oid, Object]) -> Result:
    """Return the result of a task whose requests are answered from ``objects``."""
    order = sorted(objects)
    try:
        request = next(task)
        while True:
            request = task.send(_answer(request, objects, order))
    except StopIteration as done:
        result: Result = done.value
        return result


def _answer(
    request: Request, objects: Mapping[Oid, Object], order: list[Oid]
) -> RawResponse | None:
    if request.vlan is not None:
        return None  # a recording is of one community
    names, bindings = list(request.names), []
    for _ in range(request.rows if request.kind == GET_BULK else 1):
        for position, name in enumerate(names):
            at = bisect_right(order, read_oid(name) or ())
            if at == len(order):
                bindings.append((name, _END))
                continue
            names[position] = write_oid(order[at])
            bindings.append((names[position], _value(objects[order[at]])))
    return RawResponse(0, 0, 0, bindings)


def _value(item: Object) -> Value:
    if isinstance(item.value, bytes):
        return Value(_OCTETS, item.value)
    if isinstance(item.value, tuple):
        return Value(_OID, write_oid(item.value))
    if item.value < 0:
        return Value(_INTEGER, item.value.to_bytes(9, "big", signed=True))
    return Value(_INTEGER, write_integer(item.value)[2:])
