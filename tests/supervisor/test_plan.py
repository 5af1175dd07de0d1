"""The plan from one topology to another: pure, from files as users write them."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path

import pytest

from pdsno_cli.lint.engine import require
from pdsno_cli.spec import topology as spec_module
from pdsno_cli.spec.resolved import (
    decode,
    encode,
    normal,
    plane_hash,
    resolve_secrets,
    shown_digest,
    variables,
)
from pdsno_cli.spec.topology import Topology
from pdsno_cli.supervisor.changes import Kind
from pdsno_cli.supervisor.effects import EFFECTS, Effect, leaves
from pdsno_cli.supervisor.plan import make_plan
from tests.conftest import ONE_OF_EACH

BASE = """\
name: site
topics: {root: site}
policy: {scan_interval: 1m}
regions:
  r1: {policy: {scan_interval: 30s}}
  r2:
controllers:
  gc: {role: global}
  rc1: {role: regional, region: r1}
  rc2: {role: regional, region: r2}
  lc1: {role: local, region: r1, discovery: {targets: [127.66.1.1], snmp: {community: "${COMM:-public}"}}}
  lc2: {role: local, region: r1, discovery: {targets: [127.66.1.2]}}
  lc3: {role: local, region: r2, discovery: {targets: [127.66.1.3]}}
"""


@pytest.fixture
def read(tmp_path):
    def read(text, environment=None):
        file = tmp_path / "site.yaml"
        file.write_text(text)
        return resolve_secrets(normal(require(str(file))), b"salt", environment or {})

    return read


def between(read, old, new, environment=None, **kwargs):
    return make_plan(read(old), read(new, environment), **kwargs)


def kinds(plan):
    return {item.controller_id: item.kind for item in plan.changes}


def reasons(plan, name):
    return next(item.because for item in plan.changes if item.controller_id == name)


def spec_types():
    """Every dataclass that a topology is made of."""
    found, queue = set(), [Topology]
    while queue:
        kind = queue.pop()
        if kind in found:
            continue
        found.add(kind)
        for hint in typing.get_type_hints(kind).values():
            stack = [hint]
            while stack:
                one = stack.pop()
                stack += typing.get_args(one)
                if dataclasses.is_dataclass(one):
                    queue.append(one)
    return found


def test_every_field_of_a_topology_has_an_effect_and_every_effect_a_field():
    declared = {(kind, field.name) for kind in spec_types() for field in dataclasses.fields(kind)}
    classed = {(kind, name) for kind, fields in EFFECTS.items() for name in fields}
    assert declared == classed
    assert Topology in spec_types()
    assert {item for item in vars(spec_module).values() if dataclasses.is_dataclass(item)} <= set(
        EFFECTS
    )


def test_every_field_that_holds_a_type_is_inside_and_no_other():
    for kind in spec_types():
        hints = typing.get_type_hints(kind)
        for name, effect in EFFECTS[kind].items():
            held = _held(hints[name])
            assert (effect is Effect.INSIDE) == held, (kind, name)


def _held(hint):
    return dataclasses.is_dataclass(hint) or any(_held(one) for one in typing.get_args(hint))


def test_a_topology_travels_unchanged(read):
    topology = read(BASE).topology
    assert decode(encode(topology)) == topology


def test_the_same_file_is_no_change(read):
    plan = between(read, BASE, BASE)
    assert plan.empty
    assert plan.running


def test_what_is_written_otherwise_and_means_the_same_is_no_change(read):
    new = BASE.replace("topics: {root: site}", "topics: {root: site, status: {qos: 0}}")
    new = new.replace("lc2: {role", "lc[2:2]: {role").replace("30s}", "0.5m}")
    assert between(read, BASE, new).empty
    assert plane_hash(read(BASE)) == plane_hash(read(new))


def test_nothing_runs_so_everything_is_added(read):
    plan = make_plan(None, read(BASE))
    assert not plan.running
    assert set(kinds(plan).values()) == {Kind.ADD}
    assert [item.controller_id for item in plan.changes][:3] == ["gc", "rc1", "rc2"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("scan_interval: 30s", "scan_interval: 20s", {"rc1": Kind.LIVE}),
        ("scan_interval: 1m", "scan_interval: 2m", {"gc": Kind.LIVE}),
        ("127.66.1.3]", "127.66.1.3-127.66.1.5]",
         {"gc": Kind.LIVE, "rc2": Kind.LIVE, "lc3": Kind.LIVE}),
        ("127.66.1.3]", "127.66.1.3], interval: 7s", {"lc3": Kind.LIVE}),
        ("127.66.1.3]", "127.66.1.3], snmp: {timeout: 2s}", {"lc3": Kind.RESTART}),
        ("lc3: {role: local", "lc3: {heartbeat: 1s, role: local",
         {"gc": Kind.LIVE, "rc2": Kind.LIVE, "lc3": Kind.LIVE}),
        ("  r2:\n", "  r2: {prefixes: 127.66.0.0/16}\n", {}),
        ("  lc2:", "  lc9:",
         {"gc": Kind.LIVE, "rc1": Kind.LIVE, "lc2": Kind.REMOVE, "lc9": Kind.ADD}),
        ("lc2: {role: local, region: r1", "lc2: {role: local, region: r2",
         {"gc": Kind.LIVE, "rc1": Kind.LIVE, "rc2": Kind.LIVE, "lc2": Kind.MOVE}),
    ],
)  # fmt: skip
def test_a_changed_field_touches_whom_it_concerns_and_nobody_else(read, old, new, found):
    assert old in BASE
    assert kinds(between(read, BASE, BASE.replace(old, new, 1))) == found


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("outbox: {messages: 5000}\n", Kind.LIVE),
        ("fallbacks: [mqtt]\n", Kind.RESTART),
        ("broker: {embedded: true, keepalive: 20s}\n", Kind.REPLACE),
        ("signing_key: '${KEY}'\n", Kind.REPLACE),
    ],
)
def test_what_concerns_all_changes_all(read, line, kind):
    plan = between(read, BASE, BASE + line, {"KEY": "k" * 32})
    assert kinds(plan) == dict.fromkeys(("gc", "rc1", "rc2", "lc1", "lc2", "lc3"), kind)
    assert plan.replaces_all == (kind is Kind.REPLACE)
    assert all(item.because for item in plan.changes)


def test_qos_of_publishing_is_live_but_that_of_subscriptions_restarts(read):
    live = BASE.replace("root: site", "root: site, status: {qos: 1}")
    assert set(kinds(between(read, BASE, live)).values()) == {Kind.LIVE}
    higher = BASE.replace("root: site", "root: site, events: {qos: 2}")
    assert set(kinds(between(read, BASE, higher)).values()) == {Kind.RESTART}


def test_a_description_is_noted_and_touches_nobody(read):
    plan = between(read, BASE, BASE + "description: new\n")
    assert not plan.empty
    assert not plan.changes


def test_a_secret_is_shown_as_a_digest_and_only_its_value_counts(read):
    plan = between(read, BASE, BASE, {"COMM": "geheim"})
    [change] = plan.changes
    assert (change.controller_id, change.kind) == ("lc1", Kind.RESTART)
    [field] = change.fields
    assert field.path == "controllers.lc1.discovery.snmp.community"
    assert field.new.startswith("sha256:")
    assert "geheim" not in repr(plan)
    assert between(read, BASE, BASE.replace("${COMM:-public}", "public")).empty
    assert shown_digest("missing") == "missing"


def test_variables_are_those_of_secrets_alone(read):
    topology = read(BASE + 'signing_key: "${KEY}"\n').topology
    found = variables(topology, {"KEY": "k", "OTHER": "o"})
    assert found == {"KEY": "k", "COMM": None}


def test_another_parent_restarts_where_children_connect_to_it(read):
    new = BASE.replace("rc2:", "rc9:")
    plan = between(read, BASE, new)
    assert kinds(plan) == {
        "gc": Kind.LIVE, "rc2": Kind.REMOVE, "rc9": Kind.ADD, "lc3": Kind.RESTART
    }  # fmt: skip
    assert reasons(plan, "lc3") == ("above it: gc, rc9",)
    line = "fallbacks: [mqtt]\n"
    assert kinds(between(read, BASE + line, new + line))["lc3"] is Kind.LIVE


def test_a_removed_region_names_its_controllers_and_devices(read):
    new = "".join(
        line for line in BASE.splitlines(keepends=True)
        if not any(word in line for word in ("r2:", "rc2", "lc3"))
    )  # fmt: skip
    plan = between(read, BASE, new, devices={"lc3": 12, "lc1": 4})
    assert kinds(plan) == {"gc": Kind.LIVE, "rc2": Kind.REMOVE, "lc3": Kind.REMOVE}
    assert plan.effects == (
        "region r2 ends: removes its policy, 1 local controller and 12 devices",
    )


def test_removed_and_moved_locals_name_their_devices(read):
    new = BASE.replace("lc2: {role: local, region: r1", "lc2: {role: local, region: r2")
    plan = between(read, BASE, new, devices={"lc2": 1})
    assert plan.effects == ("lc2 moves: removes 1 device from r1 until found again in r2",)


def test_the_token_changes_with_the_file_and_with_the_plane(read):
    other = BASE.replace("scan_interval: 30s", "scan_interval: 20s")
    tokens = {
        between(read, BASE, other).token,
        between(read, BASE, BASE).token,
        between(read, other, BASE).token,
        between(read, BASE, other, generation="2").token,
        make_plan(None, read(BASE)).token,
    }
    assert len(tokens) == 5
    assert between(read, BASE, other).token == between(read, BASE, other).token


def test_paths_are_those_of_the_file(read):
    text = BASE + (
        "broker: {hosts: [a.example, b.example], username: u, password: '${HOME}', tls: {}}\n"
        "fallbacks: [mqtt]\n"
    )
    resolved = read(text, {"HOME": "secret"})
    found = leaves(resolved.topology, resolved)
    assert found["broker.hosts"] == ("a.example:8883, b.example:8883", Effect.REPLACE)
    assert found["topics.status.qos"] == ("0", Effect.LIVE)
    assert found["policy.scan_interval"] == ("1m", Effect.LIVE)
    assert found["broker.password"][0].startswith("sha256:")


def test_what_does_not_run_as_it_should_is_restarted(read):
    plan = between(read, BASE, BASE, again={"lc1": "it was given up", "lc9": "it is gone"})
    assert kinds(plan) == {"lc1": Kind.RESTART}
    assert reasons(plan, "lc1") == ("it was given up",)


def test_children_of_a_new_parent_report_all_again_and_others_do_not(read):
    plan = between(read, BASE, BASE.replace("rc2:", "rc9:"))
    assert [item.controller_id for item in plan.changes if item.new_parent] == ["lc3"]
    plan = between(read, BASE, BASE.replace("gc:", "g9:"))
    found = {item.controller_id for item in plan.changes if item.new_parent}
    assert found == {"rc1", "rc2"}


def test_path_of_a_file_has_no_detour_but_where_a_link_makes_it_one(tmp_path):
    (tmp_path / "far" / "sub").mkdir(parents=True)
    (tmp_path / "sub").symlink_to(tmp_path / "far" / "sub")
    for folder in (tmp_path, tmp_path / "far"):
        (folder / "site.yaml").write_text(ONE_OF_EACH)
    (tmp_path / "near").mkdir()
    plain = normal(require(str(tmp_path / "near" / ".." / "site.yaml")))
    assert plain.path == str(tmp_path / "site.yaml")
    linked = normal(require(str(tmp_path / "sub" / ".." / "site.yaml")))
    assert Path(linked.path).samefile(tmp_path / "far" / "site.yaml")
