from __future__ import annotations

import shutil

import pytest

from pdsno_cli.runtime.known_states import known_states
from pdsno_cli.runtime.state_dir import StateDir, base, default_root
from pdsno_cli.runtime.state_index import register


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))


def made(root):
    state = StateDir(root)
    state.make()
    return state


def test_states_are_found_in_the_base_directory_and_where_they_were_registered(tmp_path):
    usual, elsewhere = made(default_root("alpha")), made(tmp_path / "beta")
    for state in (usual, elsewhere, elsewhere):
        register(state)
    assert [(item.name, item.state) for item in known_states()] == [
        ("alpha", usual),
        ("beta", elsewhere),
    ]


def test_an_entry_that_leads_nowhere_is_removed(tmp_path):
    register(made(tmp_path / "beta"))
    shutil.rmtree(tmp_path / "beta")
    assert known_states() == []
    assert list((base() / ".elsewhere").iterdir()) == []


def test_what_is_no_state_directory_is_not_listed():
    (base() / "photos").mkdir(parents=True)
    assert known_states() == []


def test_without_a_home_nothing_is_listed_and_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    assert known_states() == []
    register(made(tmp_path / "beta"))
