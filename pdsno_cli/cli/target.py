"""Finds the topology that a command is about: by its file, by its name, or as the only one up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.runtime.known_states import KnownState
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

SUFFIXES = (".yaml", ".yml")
_STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A topology by name, with its state directory; ``file`` is None where it is unknown."""

    name: str
    state: StateDir
    file: str | None

    def topology(self) -> Topology:
        """Load the file; raises UsageError if it is unknown or cannot be read."""
        from pdsno_cli.lint.engine import require

        return require(str(self.known_file()))

    def known_file(self) -> Path:
        """Return the file; raises UsageError if it is unknown or gone."""
        if self.file is None or self.file == _STDIN:
            origin = "was read from stdin" if self.file else "is unknown"
            raise UsageError(f"the file of {self.name} {origin}: name a FILE")
        if not Path(self.file).is_file():
            raise UsageError(f"the file of {self.name} is gone: {self.file}")
        return Path(self.file)


def topology_files(file: Path | None) -> list[Path]:
    """Return ``file``, else $PDSNO_TOPOLOGY, else ./topology.yaml, else each of ./topologies/*.yaml.

    Empty when none of these exists. Whether ``file`` exists is not checked here.
    """
    if file is not None:
        return [file]
    if named := os.environ.get("PDSNO_TOPOLOGY"):
        return [Path(named)]
    here = Path("topology.yaml")
    return [here] if here.is_file() else sorted(Path("topologies").glob("*.yaml"))


def file_first(words: list[str]) -> tuple[Path | None, list[str]]:
    """Split a leading topology, a file or a name, off ``words``; None where there is none.

    A word that is a controller of the default topology and the name of another is the controller.
    """
    if words:
        first = Path(words[0])
        if words[0].endswith(SUFFIXES) or first.is_file() or _is_name(words[0]):
            return first, words[1:]
    return None, words


def locate(file: Path | None, state_dir: Path | None) -> Target:
    """Return the topology that ``file``, a file or a name, and ``--state-dir`` mean.

    Without ``file`` it is the one that ``topology_files`` finds, else the only one that is up. The
    file of one that is up is not read. Raises UsageError, with the nearest name, unless it is one.
    """
    if file is None:
        files = topology_files(None)
        if len(files) != 1:
            return _only_one(files, state_dir)
        file = files[0]
    if not _is_path(file):
        return _by_name(str(file), state_dir)
    found = [item for item in _of_file(file, state_dir) if item.state.is_up]
    if len(found) == 1:
        return _target(found[0])
    topology, state = load(file, state_dir)
    return Target(name=topology.name, state=state, file=str(file))


def load(file: Path | None, state_dir: Path | None) -> tuple[Topology, StateDir]:
    """Return the topology that ``locate`` finds and its state directory."""
    from pdsno_cli.lint.engine import require
    from pdsno_cli.supervisor.open_files import require_open_files

    require_open_files()
    if file is None and len(files := topology_files(None)) == 1:
        file = files[0]
    if file is None or not _is_path(file):
        target = locate(file, state_dir)
        return target.topology(), target.state
    topology = require(str(file))
    if (state := _running_state(topology, file, state_dir)) is not None:
        return topology, state
    found = [item for item in _of_file(file, state_dir) if item.name == topology.name]
    if state_dir is None and len(found) == 1:
        return topology, found[0].state
    return topology, state_of(topology, state_dir)


def to_run(file: Path | None, state_dir: Path | None) -> tuple[Path, Topology, StateDir]:
    """Return the file that ``pdsno up`` is to run, its topology, and the state directory.

    ``file`` may be the name of a topology with state here, and None for the default file. Raises
    UsageError if the file is unknown, or is up under another name than it has now.
    """
    from pdsno_cli.lint.engine import require

    if file is None:
        files = topology_files(None)
        if len(files) != 1:
            found = ", ".join(map(str, files)) or "there is no ./topology.yaml"
            raise UsageError(f"which topology? Name its FILE, or set PDSNO_TOPOLOGY ({found})")
        file = files[0]
    if not _is_path(file):
        target = _by_name(str(file), state_dir)
        file = target.known_file()
        return file, require(str(file)), target.state
    topology = require(str(file))
    running = _running_state(topology, file, state_dir)
    return file, topology, running or state_of(topology, state_dir)


def drawn_files(file: Path | None) -> list[Path]:
    """Return the files that ``topology_files`` finds, or that of a topology by name."""
    if file is None or _is_path(file):
        return topology_files(file)
    return [_by_name(str(file), None).known_file()]


def _running_state(topology: Topology, file: Path, state_dir: Path | None) -> StateDir | None:
    """Return the state directory of the only run of a file; None where it is not up.

    Raises UsageError where the file has got another name since: a second run of its controllers would
    begin.
    """
    if state_dir is not None or str(file) == _STDIN:
        return None
    up = [item for item in _of_file(file, None) if item.state.is_up]
    same = [item for item in up if item.name == topology.name]
    if up and not same:
        raise UsageError(
            f"{file} is up as {up[0].name}, and now has the name {topology.name}: name {up[0].name} "
            "in place of the file, or choose another state with --state-dir"
        )
    return same[0].state if len(same) == 1 else None


def state_of(topology: Topology, state_dir: Path | None) -> StateDir:
    """Return the state directory of a topology: ``state_dir``, else the default one."""
    from pdsno_cli.runtime.state_dir import StateDir, default_root

    return StateDir((state_dir or default_root(topology.name)).absolute())


def known_names() -> list[str]:
    """Return the names of the topologies with state on this machine."""
    return list(dict.fromkeys(item.name for item in _known()))


def _known(state_dir: Path | None = None) -> list[KnownState]:
    """Return every topology with state, or that of one state directory."""
    from pdsno_cli.runtime.known_states import known_state, known_states
    from pdsno_cli.runtime.state_dir import StateDir

    if state_dir is None:
        return known_states()
    found = known_state(StateDir(state_dir.absolute()))
    return [] if found is None else [found]


def _is_path(file: Path) -> bool:
    text = str(file)
    return text == _STDIN or text.endswith(SUFFIXES) or "/" in text or file.is_file()


def _is_name(word: str) -> bool:
    if word not in known_names():
        return False
    files = topology_files(None)
    if len(files) != 1 or not _is_path(files[0]):
        return True
    from pdsno_cli.lint.engine import require
    from pdsno_cli.model.errors import PdsnoError

    try:
        return word not in require(str(files[0])).controllers
    except PdsnoError:
        return True


def _of_file(file: Path, state_dir: Path | None) -> list[KnownState]:
    """Return the states whose latest run was of a file."""
    path = os.path.realpath(file)
    return [
        item
        for item in _known(state_dir)
        if item.record is not None and os.path.realpath(item.record.file) == path
    ]


def _by_name(name: str, state_dir: Path | None) -> Target:
    known = _known(state_dir)
    found = [item for item in known if item.name == name]
    if not found:
        hint = did_you_mean(name, [item.name for item in known]) or "pdsno ls shows them"
        raise UsageError(f"no file and no topology {name!r} on this machine: {hint}")
    return _target(_the_one(found, f"several topologies are called {name}"))


def _only_one(files: Sequence[Path], state_dir: Path | None) -> Target:
    """Return the only topology that is up, or that of ``--state-dir``."""
    known = _known(state_dir)
    up = [item for item in known if item.state.is_up]
    if state_dir is not None and len(known) == 1:
        return _target(known[0])
    if len(up) == 1:
        return _target(up[0])
    if up:
        found = f"{', '.join(dict.fromkeys(item.name for item in up))} are up"
    else:
        found = ", ".join(map(str, files)) or "none found, and none is up"
    raise UsageError(f"which topology? Name its FILE, or set PDSNO_TOPOLOGY ({found})")


def _the_one(found: Sequence[KnownState], several: str) -> KnownState:
    """Return the only one, the only one that is up, or that in the default place."""
    from pdsno_cli.runtime.state_dir import default_root

    up = [item for item in found if item.state.is_up]
    usual = [item for item in up or found if item.state.root == default_root(item.name)]
    for choice in (found, up, usual):
        if len(choice) == 1:
            return choice[0]
    places = ", ".join(str(item.state.root) for item in up or found)
    raise UsageError(f"{several}: choose one with --state-dir ({places})")


def _target(known: KnownState) -> Target:
    file = None if known.record is None else known.record.file
    return Target(name=known.name, state=known.state, file=file)
