"""``pdsno fault``: a drill on a running topology: a fault, and how it was got over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pdsno_cli.cli.running import JSON, STATE_DIR, TIMEOUT
from pdsno_cli.cli.which import file_first

_FORMS = {"broker": "kill|freeze", "controller": "ID kill|freeze", "link": "ID drop"}
_UNSAID = "10s"  # how long a freeze or a cut lasts where nobody says
_FOR = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="DURATION",
        help=f"Fault duration (default: {_UNSAID} for freeze and drop; kill restarts at once).",
    ),
]
_EXPECT = Annotated[
    list[str] | None,
    typer.Option(
        "--expect",
        metavar="KEY<=VALUE",
        help="Fail if KEY exceeds VALUE. Durations: fallback, recovery. Counts: delayed, lost, twice.",
    ),
]

fault = typer.Typer(
    help="Inject a fault into a running topology and measure recovery.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@fault.command("broker")
def fault_broker(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"[FILE] {_FORMS['broker']}", help="The topology, and the fault."),
    ] = None,
    *,
    lasting: _FOR = None,
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Kill (SIGKILL) or freeze (SIGSTOP) the embedded broker, and wait until every controller has recovered."""
    _run(
        "broker",
        words,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


@fault.command("controller")
def fault_controller(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar=f"[FILE] {_FORMS['controller']}",
            help="The topology, a controller, and the fault.",
        ),
    ] = None,
    *,
    lasting: _FOR = None,
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Kill (SIGKILL) or freeze (SIGSTOP) a controller, and wait until every controller has recovered."""
    _run(
        "controller",
        words,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


@fault.command("link")
def fault_link(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar=f"[FILE] {_FORMS['link']}", help="The topology, a controller, and the fault."
        ),
    ] = None,
    *,
    lasting: _FOR = None,
    expect: _EXPECT = None,
    timeout: TIMEOUT = "120s",
    as_json: JSON = False,
    state_dir: STATE_DIR = None,
) -> None:
    """Drop all packets of a controller (root, Linux), and wait until every controller has recovered."""
    _run(
        "link",
        words,
        lasting=lasting,
        expect=expect,
        timeout=timeout,
        as_json=as_json,
        state_dir=state_dir,
    )


def _run(
    target: str,
    words: list[str] | None,
    *,
    lasting: str | None,
    expect: list[str] | None,
    timeout: str,
    as_json: bool,
    state_dir: Path | None,
) -> None:
    """Have the drill that ``words`` ask for: a file if named, the controller if any, the fault."""
    from pdsno_cli.cli.bounds import parse_bounds
    from pdsno_cli.cli.drill import Drill, check
    from pdsno_cli.cli.running import running, seconds
    from pdsno_cli.model.durations import SHORTEST
    from pdsno_cli.model.errors import UsageError

    bounds = parse_bounds(expect or ())
    patience = seconds(timeout)
    file, rest = file_first(words or [])
    victim, action = _aim(target, rest)
    if lasting is None:
        duration = 0.0 if action == "kill" else seconds(_UNSAID)
    elif (duration := seconds(lasting)) < SHORTEST:
        raise UsageError(f"--for {lasting} is too short: 100ms at least")
    topology, state = running(file, state_dir)
    check(topology, victim)
    drill = Drill(
        topology=topology,
        state=state,
        target=target,
        victim=victim,
        action=action,
        seconds=duration,
        bounds=bounds,
    )
    drill.run(patience, as_json=as_json)


def _aim(target: str, words: list[str]) -> tuple[str | None, str]:
    """Return the controller, None for the broker, and what is to happen to it; else UsageError."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import did_you_mean

    *names, actions = _FORMS[target].split()
    possible = actions.split("|")
    if len(words) != len(names) + 1 or words[-1] not in possible:
        hint = did_you_mean(words[-1], possible) if words else None
        told = f"; {hint}" if hint and words[-1] not in possible else ""
        raise UsageError(f"write: pdsno fault {target} [FILE] {_FORMS[target]}{told}")
    return (words[0] if names else None), words[-1]
