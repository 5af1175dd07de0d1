"""Fixes: what they write, what they leave alone, and when they are taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pdsno_cli.lint import fixing
from pdsno_cli.lint.engine import check
from pdsno_cli.lint.fixing import apply, fix
from pdsno_cli.lint.settings import Settings
from pdsno_cli.model.diagnostics import Diagnostic, Edit

HERE = Path(__file__).parent
REST = "controllers: {g: {role: global}}\n"


def fixed(text):
    return fix("t.yaml", text.encode(), Settings()).content.decode()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("desciption: a  # kept\n", "description: a  # kept\n"),
        ('"desciption": a\n', "description: a\n"),
        ("Description: a\n", "description: a\n"),
        ("defaults: {heart-beat: 5s}\n", "defaults: {heartbeat: 5s}\n"),
        ("fallbacks: [mqt, 'htp']\n", "fallbacks: [mqtt, http]\n"),
        ("defaults: {heartbeat: 30 s}\n", "defaults: {heartbeat: 30s}\n"),
        ("defaults: {heartbeat: '1m30s'}\n", "defaults: {heartbeat: 90s}\n"),
        ("outbox: {age: 1d}   # a day\n", "outbox: {age: 24h}   # a day\n"),
        ("outbox: {age: PT30S}\n", "outbox: {age: 30s}\n"),
        ("topics: {status: {retain: 'true'}}\n", "topics: {status: {retain: true}}\n"),
        ("topics: {status: {retain: yes}}\n", "topics: {status: {retain: true}}\n"),
        ("outbox: {messages: '5000'}\n", "outbox: {messages: 5000}\n"),
        ("description: 007\n", "description: '007'\n"),
        ("outbox:\n\tmessages: 50\n\tage: 1h\n", "outbox:\n  messages: 50\n  age: 1h\n"),
        (
            "outbox:\n    messages: 50\ndefaults:\n\tdiscovery:\n\t\tinterval: 9s\n",
            "outbox:\n    messages: 50\ndefaults:\n    discovery:\n        interval: 9s\n",
        ),
        ("desciption: a\r\ndefaults: {heartbeat: 5 s}\r\n", "description: a\r\ndefaults: {heartbeat: 5s}\r\n"),
        ("description: ü日本\ndefaults: {x-ü: 日, hartbeat: 5 s}\n", "description: ü日本\ndefaults: {x-ü: 日, heartbeat: 5s}\n"),
    ],
)  # fmt: skip
def test_fix_changes_the_mistake_and_nothing_else(wrong, right):
    name = "name: n  # the name\n"
    assert fixed(name + wrong + REST) == name + right + REST


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {heartbeat: 30}\n",  # of what?
        "defaults: {heartbeat: 5 M}\n",
        "defaults: {heartbeat: 5 parsecs}\n",
        "broker: {hosst: a}\n",  # host or hosts
        "topics: {status: {qos: high}}\n",
        "lib: sqlite\n",
        "description: a\ndesciption: b\n",
        "x-a: &a 5 s\ndefaults: {heartbeat: *a}\n",
        "x-text: |\n  a\noutbox:\n\tmessages: 50\n",  # a tab may be content
        "outbox: {messages: 'many'}\n",
        "zones: {}\n",
    ],
)
def test_what_is_not_certain_is_left_alone(text):
    whole = "name: n\n" + text + REST
    assert check("t.yaml", raw=whole.encode()).diagnostics
    assert fixed(whole) == whole


def test_fix_that_shows_another_goes_on():
    text = "name: n\ndefaults: {discovry: {interval: 9 s, protocls: [icmp, snnmp]}}\n"
    done = "name: n\ndefaults: {discovery: {interval: 9s, protocols: [icmp, snmp]}}\n"
    assert fixed(text + REST) == done + REST


def test_misspelt_region_of_one_controller_is_mended():
    head = "name: n\nregions: {office: {}, officer: {}}\ncontrollers:\n  g: {role: global}\n"
    text = head + "  r: {role: regional, region: offcie}\n"
    assert fixed(text) == text  # office or officer
    text = text.replace("officer", "lab")
    assert fixed(text) == text.replace("offcie", "office")


def test_one_bad_fix_does_not_hold_up_the_others(monkeypatch):
    found = fixing.check
    more = [
        Diagnostic(path="t.yaml", line=1, column=1, code="PDS106", message=str(n)) for n in "abc"
    ]

    def judged(path, **options):
        checked = found(path, **options)
        worse = b"description" in options["raw"]
        return replace(checked, diagnostics=(*checked.diagnostics, *more)) if worse else checked

    monkeypatch.setattr(fixing, "check", judged)
    assert fixed("name: n\ndesciption: a\ndefaults: {hartbeat: 5s}\n" + REST) == (
        "name: n\ndesciption: a\ndefaults: {heartbeat: 5s}\n" + REST
    )


def test_byte_order_mark_stays():
    text = "\ufeffname: n\ndesciption: a\n" + REST
    assert fixed(text) == text.replace("desciption", "description")


def test_edits_are_made_by_position_from_the_start_of_each_line():
    edits = [
        Edit(line=2, column=1, end_line=3, end_column=1, text=""),
        Edit(line=1, column=2, end_line=1, end_column=3, text="XY"),
        Edit(line=3, column=4, end_line=3, end_column=4, text="!"),
    ]
    assert apply("abc\r\ngone\r\nend", edits) == "aXYc\r\nend!"


@pytest.mark.parametrize("path", sorted(HERE.glob("err/*.yaml")), ids=lambda path: path.stem)
def test_no_golden_case_gets_worse(path):
    raw = path.read_bytes()
    before = check(path, raw=raw).diagnostics
    done = fix(str(path), raw, Settings())
    errors = [item for item in before if item.severity.value == "error"]
    assert len([i for i in done.checked.diagnostics if i.severity.value == "error"]) <= len(errors)
    again = fix(str(path), done.content, Settings())
    assert again.content == done.content
