from __future__ import annotations

import pytest

from pdsno_cli.client.policy_status import in_force, policy_statuses
from pdsno_cli.model.messages import PolicyDocument
from pdsno_cli.nib.store import Store
from pdsno_cli.runtime.state_dir import StateDir
from tests.runtime.test_acl import TOPOLOGY


@pytest.fixture
def state(tmp_path) -> StateDir:
    made = StateDir(tmp_path)
    made.make()
    return made


def keep(state: StateDir, name: str, scope: str, version: int) -> None:
    with Store.open(state.store(name)) as store, store.transaction() as tx:
        tx.put_policy(PolicyDocument(scope=scope, version=version), at=100.0 + version)


def tell(state: StateDir, name: str, scope: str, version: int) -> None:
    with Store.open(state.store("g1")) as store, store.transaction() as tx:
        tx.put_applied(name, scope, version, at=200.0 + version)


def rows(state: StateDir, scope: str) -> dict[str, tuple]:
    return {
        item.controller_id: (item.version, item.wanted, item.since, item.source)
        for item in policy_statuses(TOPOLOGY, state)
        if item.scope == scope
    }


def test_standings_without_any_store_know_nothing(state):
    assert set(rows(state, "r1").values()) == {(None, None, None, None)}
    assert in_force(TOPOLOGY, state, "r1") is None


def test_statuses_prefer_a_controllers_own_store_to_its_events(state):
    keep(state, "rc1", "r1", 8)
    keep(state, "lc1", "r1", 8)
    tell(state, "lc1", "r1", 7)
    assert rows(state, "r1") == {"rc1": (8, 8, 108.0, "store"), "lc1": (8, 8, 108.0, "store")}


def test_statuses_of_other_machines_are_their_events(state):
    tell(state, "rc1", "r1", 8)
    tell(state, "lc1", "r1", 7)
    assert rows(state, "r1") == {"rc1": (8, 8, 208.0, "event"), "lc1": (7, 8, 207.0, "event")}


def test_standings_where_the_publisher_is_unknown_want_the_newest(state):
    keep(state, "lc1", "r1", 7)
    assert rows(state, "r1") == {"rc1": (None, 7, None, None), "lc1": (7, 7, 107.0, "store")}


def test_in_force_is_the_publishers_else_the_newest(state):
    keep(state, "lc1", "global", 5)
    keep(state, "rc1", "global", 6)
    assert in_force(TOPOLOGY, state, "global").document.version == 6
    keep(state, "g1", "global", 4)
    assert in_force(TOPOLOGY, state, "global").document.version == 4
