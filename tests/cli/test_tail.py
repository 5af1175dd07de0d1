from __future__ import annotations

import pytest

from pdsno_cli.cli.tail import _filter, _line
from pdsno_cli.client.monitor import ObservedMessage
from pdsno_cli.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#", "site/#"),
        ("events/#", "site/events/#"),
        ("site/events/+", "site/events/+"),
        ("site", "site"),
        ("+/r1/+", "site/+/r1/+"),
    ],
)
def test_filter_is_below_the_root_with_and_without_it(text, expected):
    assert _filter(text, "site") == expected


@pytest.mark.parametrize("text", ["#/a", "a/#/b", "a+", "a/b#", "", "a//b/++"])
def test_invalid_filter_is_refused(text):
    if text == "":
        assert _filter(text, "site") == "site/"
        return
    with pytest.raises(UsageError, match="invalid topic filter"):
        _filter(text, "site")


HOSTILE = ObservedMessage(
    transport="mqtt",
    topic="site/events/\x1b[2Jr1",
    size=7,
    qos=None,
    retain=True,
    signature="unsigned",
    marks=("undeclared topic",),
    summary="",
    document={"sender_id": "a\nb", "message_type": 5},
)


def test_line_does_nothing_to_a_terminal_and_names_what_is_wrong():
    line = _line(HOSTILE, 0.0, colour=False)
    assert line.isprintable()
    assert line[14:] == (
        r"site/events/\x1b[2Jr1  a\nb  5  None/None  7 B  mqtt q?r  [unsigned]  [undeclared topic]"
    )


def test_line_in_colour_shows_what_is_wrong_in_red():
    line = _line(HOSTILE, 0.0, colour=True)
    assert "\033[31m  [unsigned]" in line
    assert line.endswith("\033[0m")
