from __future__ import annotations

import pytest

from pdsno_cli.model.errors import StateError, UsageError
from pdsno_cli.runtime.state_dir import StateDir
from pdsno_cli.runtime.state_removal import remove_state


@pytest.fixture
def state(tmp_path):
    state = StateDir(tmp_path / "state")
    state.make()
    state.store("lc1").write_text("store")
    state.key.write_text("key")
    return state


def test_what_a_run_made_is_removed_with_its_folder(state):
    assert remove_state(state) == []
    assert not state.root.exists()


def test_what_is_not_of_a_run_stays(state):
    (state.root / "thesis.tex").write_text("precious")
    assert remove_state(state) == ["thesis.tex"]
    assert [path.name for path in state.root.iterdir()] == ["thesis.tex"]


def test_what_is_no_state_directory_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="not a state directory"):
        remove_state(StateDir(tmp_path))
    assert (tmp_path / "thesis.tex").exists()
    with pytest.raises(UsageError, match="there is no state"):
        remove_state(StateDir(tmp_path / "gone"))


def test_a_link_to_a_state_directory_is_refused(state, tmp_path):
    (tmp_path / "link").symlink_to(state.root)
    with pytest.raises(UsageError, match="not a state directory"):
        remove_state(StateDir(tmp_path / "link"))


def test_links_inside_are_not_followed(state, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("precious")
    (state.root / "http").rmdir()
    (state.root / "http").symlink_to(tmp_path / "outside")
    assert remove_state(state) == ["http"]
    assert (tmp_path / "outside" / "file").exists()


def test_a_state_directory_in_use_is_refused(state):
    with state.lock(), pytest.raises(StateError, match="already up"):
        remove_state(state)
    with state.lock("lc1"), pytest.raises(StateError, match="lc1 runs with the state"):
        remove_state(state)
    assert state.store("lc1").exists()
