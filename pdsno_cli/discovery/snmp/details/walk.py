"""Walks columns of tables of one agent: several in a request, as the agent can take it; pure.

Agents are not trusted. A column ends where the agent leaves it, repeats itself or sends more than
is wanted; rows read before are kept. An agent that is silent or refuses is asked for less at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pdsno_cli.discovery.snmp.ber import Oid, RawResponse, Value, read_index
from pdsno_cli.discovery.snmp.ber_write import GET_BULK, GET_NEXT, write_oid
from pdsno_cli.discovery.snmp.details.exchange import Request, Task

Rows = Mapping[Oid, Value]  # the values of a column by their index

MAX_REQUESTS = (
    3000  # of one reading: the largest chassis needs some 700, an endless agent gets no more
)
MAX_OCTETS = 1024  # of a value: text is cut to 255 characters anyway

TOO_BIG = 1  # error-status (RFC 3416)
_EXCEPTIONS = frozenset({0x80, 0x81, 0x82})  # noSuchObject, noSuchInstance, endOfMibView


class _Manner(NamedTuple):
    """A way to ask: columns in a request, values in its answer, and how."""

    columns: int
    values: int
    kind: int


# Each for agents that cannot take the one before. The first fits an Ethernet frame.
_MANNERS = (_Manner(10, 48, GET_BULK), _Manner(4, 16, GET_BULK), _Manner(1, 5, GET_BULK),
            _Manner(1, 1, GET_NEXT))  # fmt: skip


@dataclass(slots=True)
class Agent:
    """What one reading has learned of its agent; ``silent`` if it does not answer any more."""

    manner: int = 0
    requests: int = 0
    answered: bool = False  # in this manner
    silences: int = 0  # in a row
    silent: bool = False

    @classmethod
    def asked_least(cls, requests: int) -> Agent:
        """Return an agent that is asked for one value at a time, and once, if it is silent."""
        return cls(manner=len(_MANNERS) - 1, requests=requests)

    def ask_less(self) -> bool:
        """Use the next manner; return False if there is none."""
        if self.manner + 1 == len(_MANNERS):
            return False
        self.manner += 1
        self.answered = False
        self.silences = 0
        return True


@dataclass(slots=True)
class _Column:
    prefix: bytes
    last: bytes
    limit: int
    rows: dict[Oid, Value] = field(default_factory=dict)
    done: bool = False


def walk(
    columns: Mapping[Oid, int], agent: Agent, *, at_once: bool = False, vlan: int | None = None
) -> Task[dict[Oid, Rows]]:
    """Return the rows of each column, at most as many as its number says.

    With ``at_once`` every column is in the first request: one datagram tells which are empty. A
    ``vlan`` is that of ``Request``.
    """
    states = []
    for oid, limit in columns.items():
        prefix = write_oid(oid)
        states.append(_Column(prefix, prefix, limit))
    while (pending := [state for state in states if not state.done]) and not agent.silent:
        if agent.requests == MAX_REQUESTS:
            break
        manner = _MANNERS[agent.manner]
        group = pending if at_once and not agent.manner else pending[: manner.columns]
        agent.requests += 1
        names = tuple(state.last for state in group)
        rows = 0 if manner.kind == GET_NEXT else max(manner.values // len(group), 1)
        _handle((yield Request(manner.kind, names, rows, vlan=vlan)), group, agent)
    return dict(zip(columns, (state.rows for state in states), strict=True))


def _handle(response: RawResponse | None, group: Sequence[_Column], agent: Agent) -> None:
    if response is None:
        agent.silences += 1
        # One silence of an agent that answered the like before is a lost datagram.
        if (not agent.answered or agent.silences > 1) and not agent.ask_less():
            agent.silent = True
        return
    agent.silences = 0
    if response.error_status == 0 and _accept(group, response):
        agent.answered = True
        return
    refused = response.error_index - 1
    if response.error_status not in {0, TOO_BIG} and 0 <= refused < len(group):
        group[refused].done = True  # as agents of SNMPv1 end a table: noSuchName
    elif not agent.ask_less():
        group[0].done = True


def _accept(group: Sequence[_Column], response: RawResponse) -> bool:
    """Add the rows of an answer to their columns; return True if there is progress."""
    count, progress = len(group), False
    for position, (name, value) in enumerate(response.bindings):
        column = group[position % count]
        if column.done or not name:
            continue
        prefix = column.prefix
        if name.startswith(prefix) and value.tag not in _EXCEPTIONS:
            index = read_index(name[len(prefix) :])
            if index is None:
                continue  # broken alone
            # An index that came before is a loop; one that does not rise is odd, and new.
            if index and index not in column.rows:
                short = len(value.octets) <= MAX_OCTETS
                column.rows[index] = value if short else Value(value.tag, value.octets[:MAX_OCTETS])
                column.last = name
                column.done = len(column.rows) == column.limit
                progress = True
                continue
        column.done = progress = True
    return progress
