"""What a reading of an agent and the socket below it exchange: requests one way, answers the other."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeVar

from pdsno_cli.discovery.snmp.ber import RawResponse

Result = TypeVar("Result")


class Request(NamedTuple):
    """A request for the OIDs whose octets are ``names``.

    ``rows`` is the max-repetitions of a GETBULK, the first ``once`` are its non-repeaters. With a
    ``vlan`` the agent is asked for that VLAN's instance of its bridge, as Cisco's IOS has them.
    """

    kind: int
    names: tuple[bytes, ...]
    rows: int = 0
    once: int = 0
    vlan: int | None = None


# Yields requests, is sent the answer of each or None for silence, and returns its result.
Task = Generator[Request, RawResponse | None, Result]
