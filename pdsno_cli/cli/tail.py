"""``pdsno tail``: prints live traffic, decoded and checked."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import JSON, STATE_DIR, seconds
from pdsno_cli.cli.completion import topology_and_actions
from pdsno_cli.cli.table import plural
from pdsno_cli.cli.target import file_first, load

if TYPE_CHECKING:
    from pdsno_cli.client.monitor import Monitor, ObservedMessage
    from pdsno_cli.client.operator import Operator
    from pdsno_cli.spec.topology import Topology

_CLASSES = ("discovery/#", "policy/#", "events/#", "status/#", "summary/#", "ack/#", "command/#")


def tail(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [FILTER]",
            autocompletion=topology_and_actions(*_CLASSES),
            help="The topology, and a topic filter below its root; all by default.",
        ),
    ] = None,
    *,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", min=1, help="End after N messages.")
    ] = None,
    period: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="End after this time.")
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="Keep all of a message on one line, however long.")
    ] = False,
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
    if (note := _unmatched(topology, wanted)) is not None:
        console.progress(note)
    # What is piped to another program stays on one line.
    width = None if wide or not console.terminal(sys.stdout) else console.width()
    with monitor_session(topology, state, (wanted,), console.progress) as (operator, visibility):
        counts = _Counts()
        try:
            monitor = Monitor(topology, operator.open, visibility)
            _follow(
                operator,
                monitor,
                counts,
                deadline=deadline,
                count=count,
                as_json=as_json,
                width=width,
            )
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
    width: int | None,
) -> None:
    from pdsno_cli.cli.tail_line import json_line, text_line

    colour = console.colour(sys.stdout)
    for arrival in operator.arrivals(deadline):
        message = monitor.observe(arrival)
        counts.add(message)
        now = time.time()
        if as_json:
            line = json_line(message, now)
        else:
            line = text_line(message, now, width=width, colour=colour)
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


def _unmatched(topology: Topology, wanted: str) -> str | None:
    """Return a note, with the nearest topic, if a filter matches no topic of the map."""
    from pdsno_cli.model.names import did_you_mean
    from pdsno_cli.model.topics import matches
    from pdsno_cli.render.families import families

    topics = [topic for family in families(topology) for topic in family.topics]
    if any(matches(wanted, topic) for topic in topics):
        return None
    known = [topology.topics.stream(topic) for topic in topics]  # below the root, as filters may be
    wild = [topic.rsplit("/", 1)[0] + "/+" for topic in known]
    near = did_you_mean(topology.topics.stream(wanted), (*_CLASSES, *wild, *known))
    hint = near or "pdsno topics shows the map"
    return f"no topic of the map matches {wanted!r}, so nothing is expected: {hint}"
