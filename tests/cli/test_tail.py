from __future__ import annotations

from dataclasses import replace

import pytest

from pdsno_cli.cli.tail import _filter, _unmatched
from pdsno_cli.cli.tail_line import delivery, text_line
from pdsno_cli.client.monitor import ObservedMessage
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.topics import TopicRule
from tests.runtime.test_acl import TOPOLOGY


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
    declared=None,
    signature="unsigned",
    marks=("undeclared topic",),
    summary="",
    document={"sender_id": "a\nb", "message_type": 5},
)


def test_line_does_nothing_to_a_terminal_and_names_what_is_wrong():
    line = text_line(HOSTILE, 0.0, width=None, colour=False)
    assert line.isprintable()
    assert line[14:] == (
        r"site/events/\x1b[2Jr1  a\nb  5  None/None  7 B  mqtt q?r  [unsigned]  [undeclared topic]"
    )


def test_line_in_colour_shows_what_is_wrong_in_red():
    line = text_line(HOSTILE, 0.0, width=None, colour=True)
    assert "\033[31m[unsigned]\033[0m" in line
    assert line.endswith("\033[0m")


REPORT = ObservedMessage(
    transport="mqtt",
    topic="pdsno/discovery/zone-A/local_cntl_zone-a_001",
    size=913,
    qos=None,
    retain=None,
    declared=TopicRule(qos=1, retain=False),
    signature="ok",
    marks=(),
    summary="cycle 3 complete: 0 new, 1 updated, 0 inactive, 30 devices",
    document={"sender_id": "local_cntl_zone-a_001", "message_type": "discovery_report",
              "epoch": 1795693057, "seq": 3},
)  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_line_fits_the_terminal_with_topic_and_content_whole(width):
    text = text_line(replace(REPORT, marks=("again",)), 0.0, width=width, colour=False)
    assert REPORT.topic in text
    assert " ".join(text.split()).endswith(f"{REPORT.summary} [again]")
    if width >= 80:
        assert max(map(len, text.splitlines())) <= width
    assert ("signed" in text) == (width == 200)


def test_line_that_is_piped_has_every_column():
    text = text_line(REPORT, 0.0, width=None, colour=False)
    assert text[14:].split("  ") == [
        REPORT.topic, "local_cntl_zone-a_001", "discovery_report", "1795693057/3", "913 B",
        "mqtt (q1-)", "signed", REPORT.summary,
    ]  # fmt: skip


def test_sender_is_left_out_only_where_the_topic_names_it():
    text = text_line(REPORT, 0.0, width=80, colour=False)
    assert text.count("local_cntl_zone-a_001") == 1
    other = replace(REPORT, topic="pdsno/events/a-region-with-a-really-long-name-indeed")
    assert text_line(other, 0.0, width=80, colour=False).count("local_cntl_zone-a_001") == 1


def test_topic_has_the_colour_of_its_class_and_findings_are_red_below_it():
    text = text_line(replace(REPORT, marks=("gap: 2 missing",)), 0.0, width=80, colour=True)
    first, *below = text.splitlines()
    assert f"\033[36m{REPORT.topic}\033[0m" in first
    assert below[-1] == f"\033[31m{' ' * 14}[gap: 2 missing]\033[0m"


@pytest.mark.parametrize(
    ("qos", "retain", "declared", "shown"),
    [
        (1, True, REPORT.declared, "q1r"),
        (0, False, REPORT.declared, "q0-"),
        (1, None, REPORT.declared, "q1(-)"),
        (None, None, REPORT.declared, "(q1-)"),
        (None, True, REPORT.declared, "(q1)r"),
        (2, None, None, "q2?"),
        (None, None, None, ""),
    ],
)
def test_delivery_is_marked_where_it_is_only_declared(qos, retain, declared, shown):
    assert delivery(replace(REPORT, qos=qos, retain=retain, declared=declared)) == shown


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("pdsno/#", None),
        ("pdsno/status/lc1", None),
        ("pdsno/+/r1/+", None),
        ("pdsno/statu/#", "did you mean 'status/#'?"),
        ("pdsno/status/lc11", "did you mean 'status/lc1'?"),
        ("pdsno/x", "pdsno topics shows the map"),
    ],
)
def test_filter_that_matches_nothing_of_the_map_gets_the_nearest_topic(wanted, hint):
    note = _unmatched(TOPOLOGY, wanted)
    if hint is None:
        assert note is None
    else:
        assert note == f"no topic of the map matches {wanted!r}, so nothing is expected: {hint}"
