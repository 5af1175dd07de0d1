"""Which topology a command is about; runs are stood for by records and locks of this process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from pdsno_cli.cli.target import drawn_files, file_first, load, locate, to_run
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import UsageError
from pdsno_cli.runtime.run_record import new_record, recorded, write_record
from pdsno_cli.runtime.state_dir import StateDir, default_root
from pdsno_cli.spec.resolved import normal, resolve_secrets
from tests.conftest import ONE_OF_EACH


class Plane:
    """Topologies of one user: files, records and locks."""

    def __init__(self, folder, stack):
        self.folder, self._stack = folder, stack

    def file(self, name):
        path = self.folder / f"{name}.yaml"
        path.write_text(ONE_OF_EACH.replace("name: one", f"name: {name}"))
        return path

    def ran(self, name, state_dir=None):
        """Leave the state of a run that has ended."""
        with ExitStack() as stack:
            return self._run(stack, name, state_dir)

    def up(self, name, state_dir=None):
        """Leave a run that goes on until the test ends."""
        return self._run(self._stack, name, state_dir)

    def _run(self, stack, name, state_dir):
        topology = require(str(self.file(name)))
        state = StateDir(state_dir or default_root(name))
        state.make()
        stack.enter_context(state.lock())
        stack.enter_context(recorded(state))
        resolved = resolve_secrets(normal(topology), b"salt")
        write_record(state, new_record(resolved, b"salt", in_process=False))
        return state


@pytest.fixture
def plane(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PDSNO_TOPOLOGY", raising=False)
    (tmp_path / "files").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with ExitStack() as stack:
        yield Plane(tmp_path / "files", stack)


@pytest.mark.parametrize(
    ("words", "file", "rest"),
    [
        ([], None, []),
        (["lc1"], None, ["lc1"]),
        (["site.yaml"], "site.yaml", []),
        (["site.yml", "lc1", "lc2"], "site.yml", ["lc1", "lc2"]),
        (["discovery/#"], None, ["discovery/#"]),
        (["lc1", "site.yaml"], None, ["lc1", "site.yaml"]),
    ],
)
@pytest.mark.usefixtures("plane")
def test_file_first_takes_what_looks_like_a_topology(words, file, rest):
    assert file_first(words) == (None if file is None else Path(file), rest)


def test_file_first_takes_what_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("topology").write_text("")
    assert file_first(["topology", "lc1"]) == (Path("topology"), ["lc1"])


def test_file_first_takes_the_name_of_a_topology_with_state(plane):
    plane.ran("alpha")
    assert file_first(["alpha", "lc"]) == (Path("alpha"), ["lc"])
    assert file_first(["alpa", "lc"]) == (None, ["alpa", "lc"])


def test_a_controller_of_the_default_topology_is_not_taken_for_another_topology(plane):
    plane.ran("lc")
    Path("topology.yaml").write_text(ONE_OF_EACH)
    assert file_first(["lc"]) == (None, ["lc"])


def test_a_name_finds_file_and_state(plane):
    state = plane.ran("alpha")
    target = locate(Path("alpha"), None)
    assert (target.name, target.state) == ("alpha", state)
    assert target.topology().name == "alpha"
    assert load(Path("alpha"), None)[1] == state


def test_a_state_directory_elsewhere_is_found_by_name_and_by_file(plane, tmp_path):
    state = plane.up("alpha", tmp_path / "elsewhere")
    assert locate(Path("alpha"), None).state == state
    assert locate(plane.folder / "alpha.yaml", None).state == state
    assert load(plane.folder / "alpha.yaml", None)[1] == state


def test_the_default_state_directory_wins_where_both_are_up(plane, tmp_path):
    plane.up("alpha", tmp_path / "elsewhere")
    usual = plane.up("alpha")
    assert locate(Path("alpha"), None).state == usual
    assert load(plane.folder / "alpha.yaml", None)[1].root == usual.root
    assert locate(Path("alpha"), tmp_path / "elsewhere").state.root == tmp_path / "elsewhere"


def test_two_of_a_name_elsewhere_are_not_guessed(plane, tmp_path):
    for place in ("a", "b"):
        plane.ran("alpha", tmp_path / place)
    with pytest.raises(UsageError, match=r"choose one with --state-dir \(.*/a, .*/b\)"):
        locate(Path("alpha"), None)


def test_a_wrong_name_gets_the_nearest(plane):
    plane.ran("alpha")
    with pytest.raises(UsageError, match="did you mean 'alpha'"):
        locate(Path("alhpa"), None)


def test_without_a_file_the_only_one_that_is_up_is_meant(plane):
    plane.ran("alpha")
    with pytest.raises(UsageError, match="none is up"):
        locate(None, None)
    plane.up("beta")
    assert locate(None, None).name == "beta"
    plane.up("gamma")
    with pytest.raises(UsageError, match="beta, gamma are up"):
        locate(None, None)


def test_a_default_file_comes_before_what_is_up(plane):
    plane.up("beta")
    Path("topology.yaml").write_text(ONE_OF_EACH)
    assert locate(None, None).name == "one"


def test_a_broken_or_missing_file_hinders_no_command_that_needs_the_run_alone(plane):
    state = plane.up("alpha")
    file = plane.folder / "alpha.yaml"
    file.write_text("name: [")
    assert locate(file, None).state == state
    file.unlink()
    assert locate(Path("alpha"), None).state == state
    with pytest.raises(UsageError, match=r"the file of alpha is gone: .*alpha\.yaml"):
        load(Path("alpha"), None)


def test_up_takes_a_file_as_it_is_and_finds_that_of_a_name(plane):
    state = plane.ran("one")
    other = plane.file("other")
    assert to_run(other, None)[::2] == (other, StateDir(default_root("other")))
    assert to_run(Path("one"), None)[::2] == (plane.file("one"), state)
    with pytest.raises(UsageError, match="one"):
        to_run(Path("onne"), None)
    plane.file("one").unlink()
    with pytest.raises(UsageError, match="gone"):
        to_run(Path("one"), None)


def test_up_without_a_file_takes_the_default_one(plane):
    plane.up("alpha")
    with pytest.raises(UsageError, match=r"which topology\? .*there is no \./topology\.yaml"):
        to_run(None, None)
    Path("topology.yaml").write_text(ONE_OF_EACH)
    assert to_run(None, None)[1].name == "one"


def test_up_and_plan_find_a_run_in_a_state_directory_elsewhere(plane, tmp_path):
    state = plane.up("alpha", tmp_path / "elsewhere")
    file = plane.folder / "alpha.yaml"
    assert to_run(file, None)[2] == load(file, None)[1] == state
    assert to_run(file, tmp_path / "beside")[2].root == tmp_path / "beside"


def test_a_file_that_is_up_under_another_name_is_not_run_a_second_time(plane):
    state = plane.up("alpha")
    file = plane.folder / "alpha.yaml"
    file.write_text(ONE_OF_EACH.replace("name: one", "name: beta"))
    for find in (to_run, load):
        with pytest.raises(UsageError, match="is up as alpha, and now has the name beta"):
            find(file, None)
    assert to_run(Path("alpha"), None)[2] == load(Path("alpha"), None)[1] == state
    assert to_run(Path("alpha"), None)[1].name == "beta"


def test_topics_are_drawn_of_a_topology_by_name(plane):
    plane.ran("alpha")
    assert drawn_files(Path("alpha")) == [plane.folder / "alpha.yaml"]
    assert drawn_files(Path("beta.yaml")) == [Path("beta.yaml")]
