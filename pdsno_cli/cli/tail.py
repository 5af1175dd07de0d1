"""``pdsno tail``: prints live traffic, decoded and checked."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, STATE_DIR, seconds
from pdsno_cli.cli.completion import topology_and_actions
from pdsno_cli.cli.table import plural
from pdsno_cli.cli.target import file_first, load
from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from pdsno_cli.client.monitor import Monitor, ObservedMessage
    from pdsno_cli.client.operator import Operator

_CLASSES = ("discovery/#", "policy/#", "events/#", "status/#", "summary/#", "ack/#", "command/#")
_RED, _DIM, _PLAIN = "\033[31m", "\033[2m", "\033[0m"


def tail(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [FILTER]",
            autocompletion=topology_and_actions(*_CLASSES),
            help="The topology, and a topic filter below its root; all by default.",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", min=1, help="End after N messages.")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End after this time.")
    ] = None,
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Show live traffic and its findings.

    Prints sender, type and content of each message. Marks bad signatures, undeclared topics, wrong senders, QoS and retain against the rule of the
    class, gaps and repetitions. Ends on Ctrl-C with a summary.
    """
    from pdsno_cli.client.monitor import Monitor
    from pdsno_cli.client.session import monitor_session
    from pdsno_cli.model.errors import UsageError

    file, filters = file_first(words or [])
    if len(filters) > 1:
        raise UsageError(f"only one topic filter is possible, not {' and '.join(filters)}")
    deadline = None if period is None else time.monotonic() + seconds(period)
    topology, state = load(file, state_dir)
    root = topology.topics.root
    wanted = _filter(filters[0] if filters else "#", root)
    with monitor_session(topology, state, (wanted,), console.progress) as (operator, visibility):
        counts = _Counts()
        try:
            monitor = Monitor(topology, operator.open, visibility)
            _follow(operator, monitor, counts, deadline=deadline, count=count, as_json=as_json)
        except KeyboardInterrupt:
            pass  # the usual end
        finally:
            console.progress(counts.summary())


class _Counts:
    """Counts of the messages shown so far."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._types: Counter[str] = Counter()
        self._marked = 0

    @property
    def total(self) -> int:
        return sum(self._types.values())

    def add(self, message: ObservedMessage) -> None:
        self._types[str(message.field("message_type") or "unknown")] += 1
        self._marked += bool(message.marks or message.signature != "ok")

    def summary(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in self._types.most_common())
        spent = f"{plural(self.total, 'message')} in {time.monotonic() - self._began:.1f} s"
        return ": ".join(filter(None, (spent, kinds))) + f"; {self._marked} with something wrong"


def _follow(
    operator: Operator,
    monitor: Monitor,
    counts: _Counts,
    *,
    deadline: float | None,
    count: int | None,
    as_json: bool,
) -> None:
    colour = console.colour(sys.stdout)
    for arrival in operator.arrivals(deadline):
        message = monitor.observe(arrival)
        counts.add(message)
        now = time.time()
        line = _json(message, now) if as_json else _line(message, now, colour=colour)
        if not console.data(line) or counts.total == count:
            return


def _filter(text: str, root: str) -> str:
    """Return the filter below ``root``; raises UsageError if invalid (MQTT 5.0 section 4.7)."""
    from pdsno_cli.model.errors import UsageError

    levels = text.split("/")
    for index, level in enumerate(levels):
        if (level != "+" and "+" in level) or (
            "#" in level and (level != "#" or levels[index + 1 :])
        ):
            raise UsageError(
                f"invalid topic filter {text!r}: + stands for a whole level, # for all following levels"
            )
    return text if levels[0] == root else f"{root}/{text}"


def _line(message: ObservedMessage, at: float, *, colour: bool) -> str:
    moment = f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S.%f}"[:-3]
    marks = list(message.marks)
    if message.signature != "ok":
        marks.insert(0, message.signature)
    number = f"{message.field('epoch')}/{message.field('seq')}"
    known = message.document is not None
    words = [
        message.topic,
        *([str(message.field(key)) for key in ("sender_id", "message_type")] if known else []),
        *([number] if known else []),
        f"{message.size} B",
        f"{message.transport} {_delivery(message)}",
        *(["signed"] if message.signature == "ok" else []),
        message.summary,
    ]
    text = "  ".join(printable(word) for word in words if word)
    wrong = "".join(f"  [{printable(mark)}]" for mark in marks)
    if colour:
        return f"{_DIM}{moment}{_PLAIN}  {text}{_RED}{wrong}{_PLAIN}"
    return f"{moment}  {text}{wrong}"


def _delivery(message: ObservedMessage) -> str:
    """Return QoS and retain flag: ``q1r``, ``q1-`` where not retained, ``?`` where unknown."""
    qos = "?" if message.qos is None else str(message.qos)
    retain = {True: "r", False: "-", None: "?"}[message.retain]
    return f"q{qos}{retain}"


def _json(message: ObservedMessage, at: float) -> str:
    from pdsno_cli.model.ids import timestamp

    return json.dumps(
        {
            "at": timestamp(at),
            "topic": message.topic,
            "sender": message.field("sender_id"),
            "type": message.field("message_type"),
            "epoch": message.field("epoch"),
            "seq": message.field("seq"),
            "size": message.size,
            "transport": message.transport,
            "qos": message.qos,
            "retain": message.retain,
            "signature": message.signature,
            "marks": list(message.marks),
            "gist": message.summary,
            "message": message.document,
        }
    )
