"""The whole pipeline: defaults, environment, secrets, and hostile files."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from pdsno_cli.lint.engine import check, require
from pdsno_cli.model.addresses import Address
from pdsno_cli.model.durations import PATTERN
from pdsno_cli.model.errors import InvalidTopologyError, UsageError
from pdsno_cli.model.roles import Role
from pdsno_cli.spec.load import MAX_BYTES, load
from pdsno_cli.spec.schema import schema

ROOT = Path(__file__).parents[2]
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))

LAYERS = """
name: layers
broker: {host: "${HOST:-there}", port: ${PORT:-1884}, password: "${UNSET_PASSWORD}"}
defaults:
  heartbeat: 1s
  discovery: {interval: 1s, protocols: [icmp], snmp: {port: 1, retries: 1}}
  roles:
    local: {heartbeat: 2s, discovery: {interval: 2s, snmp: {port: 2}}}
regions:
  a: {heartbeat: 3s, discovery: {missed_cycles: 7}}
  b:
controllers:
  g: {role: global}
  "l[1:2]":
    role: local
    region: a
    discovery: {interval: 4s, targets: {split: 10.0.0.0/8, into: 16}, snmp: {timeout: 4s}}
  l3: {role: local, region: b, discovery: {targets: 10.9.0.1}}
"""


def write(tmp_path, text):
    path = tmp_path / "topology.yaml"
    path.write_text(text)
    return path


def test_default_holds_controller_before_region_before_role_before_all(tmp_path):
    topology = load(write(tmp_path, LAYERS.replace("port: ${PORT:-1884}", "port: 1884"))).topology
    first, third = topology.controllers["l1"], topology.controllers["l3"]
    assert (first.heartbeat, third.heartbeat, topology.controllers["g"].heartbeat) == (3, 2, 1)
    assert (first.discovery.interval, third.discovery.interval) == (4, 2)
    assert (first.discovery.missed_cycles, third.discovery.missed_cycles) == (7, 3)
    assert first.discovery.protocols == ("icmp",)
    assert (first.discovery.snmp.port, first.discovery.snmp.timeout) == (2, 4)
    assert topology.controllers["l2"].discovery.targets == ("10.1.0.0/16",)
    assert third.discovery.targets == ("10.9.0.1",)
    assert topology.of_role(Role.LOCAL, "a") == (first, topology.controllers["l2"])
    assert topology.broker.addresses == (Address("there", 1884),)
    assert topology.broker.password == "${UNSET_PASSWORD}"


def test_variable_without_quotes_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "1885")
    monkeypatch.setenv("NAME", "5")
    path = write(
        tmp_path,
        'name: "n${NAME}"\nbroker:\n  host: h${NAME}\n  port: ${PORT}\ndescription: $${NAME}\n'
        "controllers: {g: {role: global}}\n",
    )
    topology = load(path, environment=os.environ).topology
    assert (topology.name, topology.broker.addresses) == ("n5", (("h5", 1885),))
    assert topology.description == "${NAME}"


@pytest.mark.parametrize(
    ("broker", "addresses"),
    [
        ("host: a", ["a:1883"]),
        ("host: a, port: 1884", ["a:1884"]),
        ("host: a, tls: {}", ["a:8883"]),
        ('host: "::1"', ["[::1]:1883"]),
        ('hosts: [a, "b:1884", "[::1]:1885", "[::2]"]', ["a:1883", "b:1884", "[::1]:1885", "[::2]:1883"]),
        ("hosts: [a, b:1884], port: 1900, tls: {}", ["a:1900", "b:1884"]),
        ("embedded: true", []),
    ],
)  # fmt: skip
def test_addresses_of_the_broker(tmp_path, broker, addresses):
    path = write(tmp_path, f"name: n\nbroker: {{{broker}}}\ncontrollers: {{g: {{role: global}}}}\n")
    topology = load(path, environment=os.environ).topology
    assert [str(address) for address in topology.broker.addresses] == addresses
    assert topology.broker.embedded is (not addresses)


def test_paths_of_tls_start_from_the_files_folder(tmp_path):
    keys = "ca: pki/ca.pem, cert: client.pem, key: /etc/pdsno/client.key"
    path = write(
        tmp_path,
        f"""\
name: n
broker: {{host: a, tls: {{{keys}}}}}
controllers: {{g: {{role: global}}}}
""",
    )
    tls = load(path).topology.broker.tls
    assert tls.ca == str(tmp_path / "pki" / "ca.pem")
    assert tls.cert == str(tmp_path / "client.pem")
    assert tls.key == "/etc/pdsno/client.key"


def test_store_is_that_of_the_controller_then_of_its_region_its_role_and_all(tmp_path, monkeypatch):
    monkeypatch.delenv("GONE", raising=False)
    path = write(
        tmp_path,
        """\
name: n
defaults: {nib: "a://${GONE}", roles: {local: {nib: "b://"}}}
regions: {r: {nib: "c://"}, s: {}}
controllers:
  g: {role: global}
  x: {role: regional, region: r}
  y: {role: local, region: s}
  z: {role: local, region: r, nib: "d://"}
""",
    )
    found = {item.controller_id: item.nib for item in load(path).topology.controllers.values()}
    assert found == {"g": "a://${GONE}", "x": "c://", "y": "b://", "z": "d://"}


def test_file_that_cannot_be_read_is_a_usage_error(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml", "bad\0name"):
        with pytest.raises(UsageError, match="cannot read"):
            load(path)


def test_file_over_the_size_limit_is_one_finding(tmp_path):
    path = write(tmp_path, "#" * (MAX_BYTES + 1))
    assert [item.code for item in load(path).diagnostics] == ["PDS003"]


def test_require_raises_with_all_findings(tmp_path):
    path = write(tmp_path, "name: x\ncontrollers: {l/1: {role: local}}\n")
    with pytest.raises(InvalidTopologyError) as caught:
        require(path)
    assert {item.code for item in caught.value.diagnostics} == {"PDS202", "PDS207"}


def test_schema_holds_under_both_drafts_and_describes_every_key():
    Draft7Validator.check_schema(schema())
    Draft202012Validator.check_schema(schema())
    problems = []

    def walk(node, name):
        if isinstance(node, dict):
            for key, item in node.get("properties", {}).items():
                target = item
                if "$ref" in item:
                    assert set(item) == {"$ref"}  # draft-07 ignores what stands beside it
                    target = schema()["definitions"][item["$ref"].rsplit("/", 1)[1]]
                if not target.get("description") or not target.get("examples"):
                    problems.append(f"{name}.{key}")
            for key, item in node.items():
                if key != "examples":
                    walk(item, f"{name}.{key}")

    walk(schema(), "")
    assert problems == []


def test_schema_examples_fit_and_durations_have_one_pattern():
    definitions = schema()["definitions"]
    validator = Draft202012Validator

    def walk(node):
        if isinstance(node, dict):
            if "examples" in node and isinstance(node["examples"], list):
                for example in node["examples"]:
                    validator({**node, "definitions": definitions}).validate(example)
            if node.get("pattern", "").endswith("(?:ms|s|m|h)$"):
                assert node["pattern"] == PATTERN
            for key, item in node.items():
                if key not in ("examples", "enum"):
                    walk(item)

    walk(schema())


@pytest.mark.parametrize("path", TOPOLOGIES, ids=lambda path: path.stem)
def test_shipped_topology_is_clean_and_its_first_line_names_the_schema(path):
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/topology.schema.json"
    assert check(path).diagnostics == ()


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from(TOPOLOGIES))
def test_mutated_file_never_raises(tmp_path_factory, seed, source):
    chance = random.Random(seed)
    data = bytearray(source.read_bytes())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 40)]
        elif kind == 2:
            data[at:at] = chance.choice(
                [
                    b"[",
                    b"{",
                    b": ",
                    b"\n",
                    b"&a ",
                    b"*a",
                    b"${X}",
                    b"- ",
                    b"'",
                    b"<<: ",
                    b"~",
                    b"!!",
                ]
            )
        else:
            start = chance.randrange(len(data))
            data[at:at] = data[start : start + chance.randint(1, 80)]
        data = data or bytearray(b"x")
    path = tmp_path_factory.mktemp("fuzz") / "topology.yaml"
    path.write_bytes(bytes(data))
    found = check(path)
    for item in found.diagnostics:
        assert item.line >= 1
        assert "\n" not in item.message
        assert item.code.startswith("PDS")


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)
    ),
    lambda c: st.one_of(
        st.lists(c, max_size=3), st.dictionaries(st.text(max_size=6), c, max_size=3)
    ),
    max_leaves=8,
)
KEYS = [
    "name",
    "broker",
    "topics",
    "fallbacks",
    "policy",
    "defaults",
    "regions",
    "controllers",
    "lab",
]
INNER = [
    "role",
    "region",
    "discovery",
    "targets",
    "snmp",
    "address",
    "host",
    "tls",
    "roles",
    "root",
]


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(JSON, st.dictionaries(st.sampled_from(INNER), JSON, max_size=4)),
        min_size=1,
    )
)
def test_any_values_under_known_keys_never_raise(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "topology.yaml"
    base = {"name": "x", "controllers": {"g": {"role": "global"}}}
    for document in (data, {**base, **data}):
        path.write_text(json.dumps(document))
        check(path)
