"""``pdsno fault``: a drill on a running topology: a fault, and how it was got over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli.running import JSON, STATE_DIR, TIMEOUT
from pdsno_cli.cli.which import file_first

_FILE = Annotated[Path | None, typer.Argument(metavar="[FILE]")]
_WORDS = Annotated[
    list[str], typer.Argument(metavar="[FILE] ID", help="The topology, and a controller.")
]
_AWAY = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Keep it away so long; else restart at once."),
]
_FROZEN = Annotated[
    str, typer.Option("--for", metavar="DURATION", help="How long it is frozen, as in 10s.")
]
_EXPECT = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="KEY<=VALUE",
        help="Fail above this: fallback, recovery (as in 10s), delayed, lost, twice (numbers).",
    ),
]


def _group(text: str) -> typer.Typer:
    return typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)


fault = _group("Drills on a running topology: bring a fault about, and measure the recovery.")
_broker = _group("Faults of the embedded broker.")
_controller = _group("Faults of one controller.")
fault.add_typer(_broker, name="broker")
fault.add_typer(_controller, name="controller")


@_broker.command("kill")
def broker_kill(
    file: _FILE = None,
    *,
    lasting: _AWAY = None,
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Kill the embedded broker (SIGKILL), and watch until all is well again."""
    _run(
        "kill",
        file,
        None,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


@_broker.command("freeze")
def broker_freeze(
    file: _FILE = None,
    *,
    lasting: _FROZEN = "10s",
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Freeze the embedded broker (SIGSTOP), and watch until all is well again."""
    _run(
        "freeze",
        file,
        None,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


@_controller.command("kill")
def controller_kill(
    words: _WORDS,
    *,
    lasting: _AWAY = None,
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Kill a controller (SIGKILL), and watch until all is well again."""
    file, ids = file_first(words)
    _run(
        "kill",
        file,
        ids,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


@_controller.command("freeze")
def controller_freeze(
    words: _WORDS,
    *,
    lasting: _FROZEN = "10s",
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Freeze a controller (SIGSTOP), and watch until all is well again."""
    file, ids = file_first(words)
    _run(
        "freeze",
        file,
        ids,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


def _run(
    action: str,
    file: Path | None,
    ids: list[str] | None,
    *,
    lasting: str | None,
    expect: list[str] | None,
    timeout: str,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Have the drill; ``ids`` names the controller, None the broker."""
    from pdsno_cli.cli.bounds import parse_bounds
    from pdsno_cli.cli.drill import Drill, victim
    from pdsno_cli.cli.running import running, seconds
    from pdsno_cli.model.durations import SHORTEST
    from pdsno_cli.model.errors import UsageError

    bounds = parse_bounds(expect or ())
    patience = seconds(timeout)
    duration = 0.0 if lasting is None else seconds(lasting)
    if lasting is not None and duration < SHORTEST:
        raise UsageError(f"--for {lasting} is too short: 100ms at least")
    topology, state = running(file, state_dir)
    drill = Drill(
        topology=topology,
        state=state,
        victim=victim(topology, ids),
        action=action,
        seconds=duration,
        bounds=bounds,
    )
    drill.run(patience, as_json=as_json)
