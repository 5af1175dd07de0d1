from __future__ import annotations

import os
import re
import stat
import threading

import pytest

from pdsno_cli.model.errors import StateError
from pdsno_cli.runtime.state_dir import StateDir
from tests.conftest import require_root

FOLDERS = ("", "stores", "logs", "http")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_that_others_may_enter_is_tightened(tmp_path, name):
    state = StateDir(tmp_path / "state")
    folder = state.root / name
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    state.make()
    assert [mode(state.root / item) for item in FOLDERS] == [0o700] * 4


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_that_is_a_symbolic_link_is_refused(tmp_path, name):
    state = StateDir(tmp_path / "state")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    path = state.root / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.symlink_to(elsewhere)
    with pytest.raises(StateError, match=rf"{re.escape(str(path))} is a symbolic link"):
        state.make()
    assert mode(elsewhere) == 0o755
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["lock", "key", "logs/lc1.log", "stores/lc1.db", "http/rc1"])
def test_file_that_is_a_symbolic_link_is_refused(tmp_path, name):
    state = StateDir(tmp_path / "state")
    state.make()
    (state.root / name).symlink_to(tmp_path / "victim")
    with pytest.raises(StateError, match="is a symbolic link"):
        state.make()
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("name", ["", "logs", "stores/lc1.db"])
def test_what_belongs_to_another_user_is_refused(tmp_path, name):
    require_root()
    state = StateDir(tmp_path / "state")
    state.make()
    path = state.root / name
    if not path.exists():
        path.touch()
    os.chown(path, 54321, -1)
    with pytest.raises(StateError, match="belongs to user 54321, and this is user 0"):
        state.make()


def test_folder_of_another_user_that_is_none_of_ours_is_left_alone(tmp_path):
    require_root()
    state = StateDir(tmp_path / "state")
    state.make()
    (state.root / "lost+found").mkdir()
    os.chown(state.root / "lost+found", 54321, -1)
    state.make()


def test_lock_with_patience_waits_for_who_is_about_to_end(tmp_path):
    state = StateDir(tmp_path / "state")
    state.make()
    held, let_go = threading.Event(), threading.Event()

    def predecessor():
        with state.lock("lc1"):
            held.set()
            let_go.wait(30)

    other = threading.Thread(target=predecessor)
    other.start()
    held.wait(30)
    with pytest.raises(StateError, match="already running"), state.lock("lc1"):
        pass
    threading.Timer(0.1, let_go.set).start()
    with state.lock("lc1", patience=30):
        pass
    other.join()
