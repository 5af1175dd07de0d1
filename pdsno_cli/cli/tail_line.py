"""Formats one observed message for ``pdsno tail``: as text, or as JSON; pure."""

from __future__ import annotations

import json
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING

from pdsno_cli.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pdsno_cli.client.monitor import ObservedMessage

_RED, _DIM, _PLAIN = "\033[31m", "\033[2m", "\033[0m"
_COLOURS = {"discovery": "36", "policy": "35", "events": "33", "status": "32", "summary": "34",
            "ack": "2", "command": "95"}  # fmt: skip
_GAP = "  "
# Columns that a narrow terminal lacks, those first that are missed least; topics are never cut.
_DROP = ("transport", "size", "signed", "number", "type", "sender")
_INDENT = " " * 14  # the width of the time, and a gap


def text_line(message: ObservedMessage, at: float, *, width: int | None, colour: bool) -> str:
    """Return a message on one line; where it does not fit ``width``, its content on lines below.

    None is any width.
    """
    moment = f"{datetime.fromtimestamp(at).astimezone():%H:%M:%S.%f}"[:-3]
    columns = _columns(message)
    summary = printable(message.summary)
    marks = list(message.marks)
    if message.signature != "ok":
        marks.insert(0, message.signature)
    wrong = [f"[{printable(mark)}]" for mark in marks]
    content = list(filter(None, (summary, *wrong)))
    below: list[str] = []
    if width is not None and _size(columns, content) > width:
        columns, fits = _fitted(columns, content, width)
        if not fits and content:
            columns, _ = _fitted(_columns(message), [], width)
            below, content = content, []
    head = _joined(columns)
    if colour:
        moment = f"{_DIM}{moment}{_PLAIN}"
        head = _in_colour(head, message.topic)
    lines = [_GAP.join([moment, head, *(_red(item, wrong, colour=colour) for item in content)])]
    for item in below:
        lines += [_red(line, wrong if item in wrong else (), colour=colour, whole=item)
                  for line in _wrapped(item, width or 0)]  # fmt: skip
    return "\n".join(lines)


def _columns(message: ObservedMessage) -> dict[str, str]:
    """Return the columns between the time and the content, by name."""
    found = {"topic": message.topic}
    if message.document is not None:
        found["sender"] = str(message.field("sender_id"))
        found["type"] = str(message.field("message_type"))
        found["number"] = f"{message.field('epoch')}/{message.field('seq')}"
    found["size"] = f"{message.size} B"
    found["transport"] = message.transport
    found["delivery"] = delivery(message)
    if message.signature == "ok":
        found["signed"] = "signed"
    return {name: printable(text) for name, text in found.items() if text}


def _fitted(
    columns: dict[str, str], content: Sequence[str], width: int
) -> tuple[dict[str, str], bool]:
    """Return the columns without those that do not fit, and True if that is enough."""
    columns = dict(columns)
    for name in _DROP:
        if _size(columns, content) <= width:
            break
        sender = columns.get("sender")
        if name != "sender" or (sender and columns["topic"].endswith(f"/{sender}")):
            columns.pop(name, None)
    return columns, _size(columns, content) <= width


def _size(columns: dict[str, str], content: Sequence[str]) -> int:
    return len(_INDENT) + len(_GAP.join((_joined(columns), *content)))


def _joined(columns: dict[str, str]) -> str:
    """Return the columns as text; transport and delivery are one."""
    texts = dict(columns)
    if "transport" in texts and "delivery" in texts:
        texts["delivery"] = f"{texts.pop('transport')} {texts['delivery']}"
    return _GAP.join(texts.values())


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, len(_INDENT) + 20),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _in_colour(head: str, topic: str) -> str:
    """Return the columns with the topic in the colour of its class."""
    names = [level for level in topic.split("/")[:2] if level in _COLOURS]
    if not names:
        return head
    shown = printable(topic)
    return f"\033[{_COLOURS[names[-1]]}m{shown}{_PLAIN}{head[len(shown) :]}"


def _red(text: str, wrong: Collection[str], *, colour: bool, whole: str | None = None) -> str:
    """Return a text in red if it, or the ``whole`` that it is a line of, is a finding."""
    return f"{_RED}{text}{_PLAIN}" if colour and (whole or text) in wrong else text


def delivery(message: ObservedMessage) -> str:
    """Return QoS and retain flag as published, as in ``q1r`` or ``q1-``.

    In brackets is what the topology declares where the transport does not show what was published,
    as in ``(q1r)`` or ``q1(-)``; empty if neither is known.
    """
    flags = {True: "r", False: "-"}
    rule = message.declared
    qos = None if message.qos is None else f"q{message.qos}"
    retain = None if message.retain is None else flags[message.retain]
    if rule is None:
        return f"{qos or 'q?'}{retain or '?'}" if qos or retain else ""
    if qos is None and retain is None:
        return f"(q{rule.qos}{flags[rule.retain]})"
    return (qos or f"(q{rule.qos})") + (retain or f"({flags[rule.retain]})")


def json_line(message: ObservedMessage, at: float) -> str:
    """Return a message as a JSON object; ``qos`` and ``retain`` are null where they are not shown."""
    from pdsno_cli.model.ids import timestamp

    rule = message.declared
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
            "declared_qos": None if rule is None else rule.qos,
            "declared_retain": None if rule is None else rule.retain,
            "signature": message.signature,
            "marks": list(message.marks),
            "gist": message.summary,
            "message": message.document,
        }
    )
