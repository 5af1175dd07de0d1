"""`pdsno rule` as a user runs it, and what the page says beside what rules do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pdsno_cli.cli.app import build
from pdsno_cli.lint.engine import all_rules
from pdsno_cli.lint.pages import pages
from pdsno_cli.spec import codes

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


def run(*words: str) -> str:
    done = RUN.invoke(build(), ["rule", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_rule_shows_name_severity_reason_and_examples():
    shown = run("PDS219")
    assert shown == (
        "PDS219 pace (error or warning)\n"
        "\n"
        "A duration out of bounds: heartbeats and intervals are 100ms to 24h, that of\n"
        "SNMP details 10s to 7 days, a timeout of SNMP or of a sweep 1ms to 1m, its floor\n"
        "no higher than its ceiling, the MQTT keepalive 1s to 65,535s, an outbox's age 1s\n"
        "to 365 days and its patience 1s to 24h. A warning where the tries of one SNMP\n"
        "agent take longer than the interval.\n"
        "\n"
        "Bad:\n"
        "\n"
        "  defaults: {heartbeat: 0s}\n"
        "\n"
        "Good:\n"
        "\n"
        "  defaults: {heartbeat: 1s}\n"
    )


@pytest.mark.parametrize("name", ["PDS301", "pds301", "301", "one-sided-topics"])
def test_rule_takes_a_code_a_number_or_a_name(name):
    assert run(name).startswith("PDS301 one-sided-topics (warning)\n")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("one-sided-topic", "did you mean 'one-sided-topics'?"),
        ("PDS999", "`pdsno rule` lists all"),
        ("", "`pdsno rule` lists all"),
    ],
)
def test_unknown_rule_gets_the_nearest(name, hint):
    from pdsno_cli.model.errors import UsageError

    with pytest.raises(UsageError) as caught:
        RUN.invoke(build(), ["rule", name], catch_exceptions=False)
    assert str(caught.value) == f"unknown rule {name!r}: {hint}"


def test_rule_alone_lists_every_rule():
    head, *rows = run().splitlines()
    assert head.split() == ["CODE", "SEVERITY", "NAME"]
    known = {**codes.NAMES, **{rule.code: rule.name for rule in all_rules()}}
    assert {row.split()[0]: row.split()[-1] for row in rows} == known
    assert max(len(row) for row in rows) <= 80


def test_rule_json_has_every_rule_with_its_examples():
    document = json.loads(run("--json"))
    assert document["format_version"] == 1
    rules = {item["code"]: item for item in document["rules"]}
    assert rules.keys() == pages().keys()
    assert rules["PDS403"]["bad"] == "defaults: {discovery: {snmp: {community: public}}}\n"
    (only,) = json.loads(run("PDS403", "--json"))["rules"]
    assert only == rules["PDS403"]


def test_text_of_every_rule_fits_the_terminal():
    for page in pages().values():
        above = run(page.code).split("\nBad:")[0]
        assert "```" not in above
        assert all(len(line) <= 80 for line in above.splitlines() if not line.startswith("|"))


def test_severity_of_a_page_is_that_of_the_golden_cases():
    # Of a file that `tls` names, which is looked for with --env only: tests/lint has it.
    seen: dict[str, set[str]] = {"PDS218": {"warning"}}
    for path in ROOT.glob("tests/lint/err/*.out"):
        for severity, code in re.findall(r": (error|warning)\[(PDS\d+)\]", path.read_text()):
            seen.setdefault(code, set()).add(severity)
    found = {code: " or ".join(sorted(severities)) for code, severities in seen.items()}
    assert {code: pages()[code].severity for code in found} == found
