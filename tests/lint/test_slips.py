"""One slip of the hand in a good topology: one finding, in the line of the slip, whatever the line is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pdsno_cli.lint.engine import check

ROOT = Path(__file__).parents[2]
GOOD = [
    path
    for path in (*ROOT.glob("topologies/*.yaml"), *Path(__file__).parent.glob("ok/*.yaml"))
    if not path.name.startswith("unusual-")  # where a line may be a comment, or a part of a text
]
KEY = re.compile(r"^(?P<indent> *)(?P<key>[\w][\w.-]*):(?= |$)(?P<value>.*)$")


def keys(lines):
    for number, line in enumerate(lines):
        found = KEY.match(line)
        if found is not None and not found["key"].startswith(("x-", "description")):
            yield number, found


def without_a_colon(lines):
    for number, found in keys(lines):
        yield number, [f"{found['indent']}{found['key']}{found['value']}"]


def with_an_equals_sign(lines):
    for number, found in keys(lines):
        if found["value"].split("#")[0].strip():
            yield number, [f"{found['indent']}{found['key']} ={found['value']}"]


def doubled(lines):
    for number, _ in keys(lines):
        yield number + 1, [lines[number], lines[number]]


def with_a_quote_opened(lines):
    for number, found in keys(lines):
        if re.fullmatch(r" [\w.]+", found["value"]):
            yield number, [f'{found["indent"]}{found["key"]}: "{found["value"].strip()}']


def without(sign):
    def slips(lines):
        for number, line in enumerate(lines):
            text = line.split(" #")[0]
            if text.startswith("#") or "${" in text or "description" in text:
                continue
            for at, letter in enumerate(text):
                if letter == sign and not re.search(r"\[[\d:]*$", text[:at]):
                    yield number, [line[:at] + line[at + 1 :]]

    return slips


def indented_too_little(lines):
    for number, found in keys(lines):
        if len(found["indent"]) >= 4:
            yield number, [lines[number][2:]]


KINDS = {
    "no colon": without_a_colon,
    "equals sign": with_an_equals_sign,
    "doubled": doubled,
    "quote opened": with_a_quote_opened,
    "no ]": without("]"),
    "no }": without("}"),
    "no comma": without(","),
    "indented too little": indented_too_little,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_slip_is_one_finding_in_its_line(kind):
    counts: Counter[str] = Counter()
    others = []
    for path in GOOD:
        lines = path.read_text("utf-8").split("\n")
        for number, changed in KINDS[kind](lines):
            at = number - len(changed) + 1
            text = "\n".join([*lines[:at], *changed, *lines[at + 1 :]])
            found = [item.line for item in check(path, raw=text.encode()).diagnostics]
            counts["all"] += 1
            counts["found"] += bool(found)
            counts["line"] += number + 1 in found
            counts["one"] += len(found) == 1
            if found != [number + 1]:
                others.append(f"{path.name}:{number + 1}: {found}")
    assert counts["all"] > 20
    rates = {name: counts[name] / counts["all"] for name in ("found", "line", "one")}
    assert rates["found"] >= 0.97, others
    assert rates["line"] >= 0.97, others
    assert rates["one"] >= 0.97, others
