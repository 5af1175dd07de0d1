"""``pdsno fault``: injects a fault into a running topology and measures the recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli.args import JSON, STATE_DIR, TIMEOUT, parse_bounds, seconds
from pdsno_cli.cli.completion import topology_and_actions, topology_and_controllers
from pdsno_cli.cli.target import file_first, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.cli.completion import Completer

_DEFAULT_DURATION = "10s"  # of a freeze or a drop
_WAIT = "Returns once every controller has recovered."
_TARGETS = {  # target: its arguments, help
    "broker": ("kill|freeze", f"Kill or freeze the embedded broker.\n\n{_WAIT}"),
    "controller": ("ID kill|freeze", f"Kill or freeze a controller.\n\n{_WAIT}"),
    "link": ("ID drop", f"Drop all packets of a controller.\n\nNeeds root, on Linux. {_WAIT}"),
}  # fmt: skip
_FOR = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="DURATION",
        help=f"Fault duration (default: {_DEFAULT_DURATION} for freeze and drop; kill restarts at once).",
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


def _command(target: str) -> Callable[..., None]:
    """Return the command for one target; the three differ in their arguments and help alone."""

    def run(
        words: list[str] | None = None,
        *,
        lasting: _FOR = None,
        expect: _EXPECT = None,
        timeout: TIMEOUT = "120s",
        as_json: JSON = False,
        state_dir: STATE_DIR = None,
    ) -> None:
        from pdsno_cli.cli import console
        from pdsno_cli.cli.drill import check, run_drill
        from pdsno_cli.client.drill import Drill

        bounds = parse_bounds(expect or ())
        limit = seconds(timeout)
        file, rest = file_first(words or [])
        victim, action = _victim_and_action(target, rest)
        duration = _duration(action, lasting)
        topology, state = load(file, state_dir)
        check(topology, victim)
        drill = Drill(
            topology=topology,
            state=state,
            victim=victim,
            action=action,
            seconds=duration,
            on_progress=console.progress,
        )
        run_drill(drill, target, bounds, limit, as_json=as_json)

    arguments, help_ = _TARGETS[target]
    run.__doc__ = help_
    run.__annotations__["words"] = Annotated[
        list[str] | None,
        typer.Argument(
            metavar=f"[FILE] {arguments}",
            autocompletion=_completer(arguments),
            help="The topology, the target, the fault.",
        ),
    ]
    return run


def _completer(arguments: str) -> Completer:
    *names, actions = arguments.split()
    if names:
        return topology_and_controllers(*actions.split("|"), most=1)
    return topology_and_actions(*actions.split("|"))


for _target in _TARGETS:
    fault.command(_target)(_command(_target))


def _duration(action: str, lasting: str | None) -> float:
    """Return the duration of a fault in seconds: 0 for a kill without ``--for``."""
    from pdsno_cli.model.durations import SHORTEST
    from pdsno_cli.model.errors import UsageError

    if lasting is None:
        return 0.0 if action == "kill" else seconds(_DEFAULT_DURATION)
    if (duration := seconds(lasting)) < SHORTEST:
        raise UsageError(f"--for {lasting} is too short: 100ms at least")
    return duration


def _victim_and_action(target: str, words: list[str]) -> tuple[str | None, str]:
    """Return the controller, None for the broker, and the action; raises UsageError."""
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import did_you_mean

    arguments, _ = _TARGETS[target]
    *names, actions = arguments.split()
    possible = actions.split("|")
    if len(words) != len(names) + 1 or words[-1] not in possible:
        hint = did_you_mean(words[-1], possible) if words else None
        suggestion = f": {hint}" if hint and words[-1] not in possible else ""
        raise UsageError(f"write: pdsno fault {target} [FILE] {arguments}{suggestion}")
    return (words[0] if names else None), words[-1]
