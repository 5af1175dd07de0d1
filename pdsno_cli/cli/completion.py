"""What shells complete: names and files of topologies, controllers, regions, scopes, formats.

A completer returns the values that begin with what is typed, and nothing, silently, where it
cannot know any: the shell then completes files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer  # noqa: TC002 - typer reads the annotations of completers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Completer = Callable[..., list[str]]  # as typer finds by annotation: context, typed text

_ANSWER = 0.2  # seconds that a running topology has to name its controllers


def values(known: Sequence[str] | Callable[[], Iterable[str]]) -> Completer:
    """Return a completer of fixed values, or of those that a function returns."""

    def complete(incomplete: str) -> list[str]:
        found = _silently(lambda: list(known() if callable(known) else known))
        return _beginning(found, incomplete)

    return complete


def topologies(incomplete: str) -> list[str]:
    """Complete the names of topologies with state here, and topology files of this folder."""
    if "/" in incomplete:
        return []  # the shell completes paths better
    return _beginning(_silently(_topologies), incomplete)


def controllers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the controllers of the topology that the command line names."""
    return _beginning(_silently(lambda: list(_members(ctx)[0])), incomplete)


def regions(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the regions of the topology that the command line names."""
    return _beginning(_silently(lambda: _regions(ctx)), incomplete)


def scopes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the scopes of a policy."""
    return _beginning(["global", *_silently(lambda: _regions(ctx))], incomplete)


def topology_and_controllers(*actions: str, role: str | None = None, most: int = 0) -> Completer:
    """Return a completer of ``[FILE] ID…``, of one role only if that is given.

    After ``most`` controllers, 0 for any number, ``actions`` are completed.
    """

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        found = _silently(lambda: _words(ctx, actions, role, most))
        return [] if "/" in incomplete else _beginning(found, incomplete)

    return complete


def topology_and_actions(*actions: str) -> Completer:
    """Return a completer of ``[FILE] ACTION``."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        before = _typed(ctx)
        known = [*actions, *([] if before else _silently(_topologies))]
        return [] if "/" in incomplete else _beginning(known, incomplete)

    return complete


def _silently(find: Callable[[], list[str]]) -> list[str]:
    """Return what was found, nothing after any error: a shell is in the midst of its prompt."""
    try:
        return find()
    except Exception:  # noqa: BLE001 - as the docstring says
        return []


def _beginning(known: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(known) if name.startswith(incomplete)]


def _topologies() -> list[str]:
    from pdsno_cli.cli.target import SUFFIXES, known_names

    files = sorted(path.name for path in Path().iterdir() if path.suffix in SUFFIXES)
    return [*known_names(), *files]


def _typed(ctx: typer.Context) -> list[str]:
    """Return the words of the command line before the one that is completed.

    While the value of an option is completed, typer has parsed no argument: all are in ``args``.
    """
    words: list[str] | None = ctx.params.get("words")
    return list(words or ctx.args)


def _words(ctx: typer.Context, actions: Sequence[str], role: str | None, most: int) -> list[str]:
    from pdsno_cli.cli.target import file_first

    file, ids = file_first(_typed(ctx))
    if most and len(ids) >= most:
        return list(actions)
    names = [] if file is not None or ids else _topologies()
    members = _silently(lambda: [n for n, r in _members(ctx)[0].items() if role in (None, r)])
    return [*names, *(name for name in members if name not in ids)]


def _regions(ctx: typer.Context) -> list[str]:
    return list(_members(ctx)[1])


def _members(ctx: typer.Context) -> tuple[dict[str, str], list[str]]:
    """Return controllers with their roles, and regions: of the run, else of the file."""
    from pdsno_cli.cli.target import file_first, locate
    from pdsno_cli.supervisor.control import ask

    named: Any = ctx.params.get("file")
    file = file_first(_typed(ctx))[0] if named is None else Path(named)
    directory = ctx.params.get("state_dir")
    target = locate(file, None if directory is None else Path(directory))
    if target.state.is_up:
        rows = ask(target.state.control, {"op": "status"}, timeout=_ANSWER)["controllers"]
        found = dict.fromkeys(row["region"] for row in rows if row["region"] is not None)
        return {row["id"]: row["role"] for row in rows}, list(found)
    topology = target.topology()
    roles = {item.controller_id: item.role.value for item in topology.controllers.values()}
    return roles, list(topology.regions)
