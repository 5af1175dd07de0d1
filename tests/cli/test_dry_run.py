"""`pdsno up --dry-run`: what it shows, and that it accepts what `validate --env` passes."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pdsno_cli.cli.app import build
from pdsno_cli.lint.engine import check
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.errors import InvalidTopologyError

VALID = """\
name: dry
broker: {host: broker.example.net, username: "${DRY_RUN_USER}", password: "${DRY_RUN_USER}", tls: {ca: none.pem}}
fallbacks: [mqtt]
regions: {office: {}}
controllers:
  global_cntl_1: {role: global}
  regional_cntl_1: {role: regional, region: office}
  local_cntl_[1:5]: {role: local, region: office, discovery: {targets: {split: 10.0.0.0/16, into: 24}}}
"""


def up(path, *words):
    return CliRunner().invoke(build(), ["up", "--dry-run", *words, str(path)])


def test_shows_what_would_start_and_what_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "t.yaml"
    path.write_text(VALID)
    done = up(path)
    assert done.exit_code == 0
    assert (
        done.stdout
        == f"""\
topology     dry
broker       broker.example.net:8883 with TLS
global       1: global_cntl_1
regional     1: regional_cntl_1
local        5: local_cntl_1, local_cntl_2, local_cntl_3, … local_cntl_5
state        {tmp_path}/state/pdsno/dry
"""
    )
    assert done.stderr.count("warning: ") == 2
    assert f"broker.tls.ca: there is no file {tmp_path}/none.pem" in done.stderr
    assert not (tmp_path / "state").exists()


def test_file_of_tls_is_a_warning_only_where_the_machine_counts(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(VALID)
    assert check(path).diagnostics == ()
    found = check(path, environment={}).diagnostics
    assert [(item.code, item.severity, item.line) for item in found] == [
        ("PDS218", Severity.WARNING, 2)
    ]


def test_refuses_an_invalid_file(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(VALID.replace("role: global", "role: globl"))
    assert isinstance(up(path).exception, InvalidTopologyError)


NAMES = st.sampled_from(["g", "r1", "l_[1:3]", "l_[01:12]", "l2", "G", "a/b", "ü", "x y"])
DURATIONS = st.sampled_from(["5s", "1s", "0s", "500ms", "1.5m", "2h", "30", "${D}", "${D:-3s}"])
TARGETS = st.one_of(
    st.lists(st.sampled_from(["10.0.0.0/24", "10.0.1.1-10.0.1.9", "10.0.2.7", "127.0.0.0/30", "x"])),
    st.just({"split": "10.8.0.0/16", "into": 24}),
    st.just("10.9.0.1"),
)  # fmt: skip
DISCOVERY = st.fixed_dictionaries(
    {},
    optional={
        "targets": TARGETS,
        "interval": DURATIONS,
        "protocols": st.lists(st.sampled_from(["arp", "icmp", "snmp"]), max_size=3),
        "snmp": st.fixed_dictionaries({}, optional={"timeout": DURATIONS, "port": st.integers(0, 9)}),
    },
)  # fmt: skip
CONTROLLER = st.fixed_dictionaries(
    {"role": st.sampled_from(["global", "regional", "local", "local"])},
    optional={
        "region": st.sampled_from(["a", "b"]),
        "heartbeat": DURATIONS,
        "discovery": DISCOVERY,
        "address": st.sampled_from(["127.0.0.1:8443", "h:1", "h:99999", "10.0.0.1"]),
        "nib": st.sampled_from(["${NIB}", "postgresql+psycopg://${U}@h/d", "file:x", "sqlite:///x"]),
    },
)  # fmt: skip
TOPOLOGY = st.fixed_dictionaries(
    {
        "name": st.just("made"),
        "regions": st.just({"a": {}}),
        "controllers": st.dictionaries(NAMES, CONTROLLER, max_size=3).map(
            lambda more: {
                "top": {"role": "global"},
                "mid": {"role": "regional", "region": "a"},
                **{key: {"region": "a", **value} for key, value in more.items()},
            }
        ),
    },
    optional={
        "broker": st.sampled_from(
            [{"embedded": True}, {"host": "h"}, {"host": "${H}"}, {"host": "h", "tls": {"ca": "ca"}}, {"port": 1}]
        ),
        "fallbacks": st.lists(st.sampled_from(["mqtt", "http", "bus"]), max_size=3),
        "lab": st.fixed_dictionaries({"devices": st.integers(0, 300)}),
        "outbox": st.fixed_dictionaries({"age": DURATIONS}),
        "signing_key": st.sampled_from(["${KEY}", "file:key", "plain"]),
    },
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=TOPOLOGY)
def test_what_validate_passes_is_accepted(made, tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("D", "7s")
        patch.delenv("H", raising=False)
        plain = check(path)
        passes = check(path, environment={"D": "7s"}).topology is not None
        done = up(path)
    assert (done.exit_code == 0) is passes, done.stderr
    # Without the environment, a file fails only where it fails with it.
    assert plain.topology is not None or not passes


@pytest.mark.parametrize("word", ["--in-process", "-d"])
def test_goes_with_the_other_options(word, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(VALID)
    assert up(path, word).exit_code == 0
