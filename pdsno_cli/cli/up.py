"""``pdsno up``: runs a topology, every controller a process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.args import STATE_DIR, seconds
from pdsno_cli.cli.completion import topologies
from pdsno_cli.cli.target import to_run

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pdsno_cli.cli.apply import Options
    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board
    from pdsno_cli.supervisor.observer import Observer
    from pdsno_cli.supervisor.runner import ConvergingRunner


def up(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            autocompletion=topologies,
            help="The topology to run, a file or the name of one that ran here (default: "
            "./topology.yaml).",
        ),
    ] = None,
    *,
    cycles: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="End once N discovery cycles of every local are committed at the top.",
        ),
    ] = None,
    in_process: Annotated[
        bool,
        typer.Option("--in-process", help="Run all controllers in one process, without a broker."),
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once every controller is ready.")
    ] = False,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            help="How long --detach waits for every controller to be ready.",
        ),
    ] = "2m",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would start or change; do nothing.")
    ] = False,
    check: Annotated[
        str | None,
        typer.Option(
            "--check", metavar="TOKEN", help="Refuse if file or plane changed since this plan."
        ),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            "--wait",
            metavar="DURATION",
            help="How long what is changed may take to be healthy (default: --timeout).",
        ),
    ] = None,
    no_revert: Annotated[
        bool, typer.Option("--no-revert", help="Keep a change that does not become healthy.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Apply the file whenever it is saved.")
    ] = False,
    state_dir: STATE_DIR = None,
    report_to: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run a topology, or apply its file to what runs.

    A run that this starts goes on until Ctrl-C: broker, lab and every controller. Of one that is up, only
    what differs is changed; see pdsno plan.
    """
    if detach and not dry_run:
        _refuse_detached(file, cycles, watch=watch)

    import asyncio

    from pdsno_cli.cli.apply import Options, require_appliable, require_token
    from pdsno_cli.cli.plan import show_plan
    from pdsno_cli.client.applying import running
    from pdsno_cli.runtime.run_record import recorded
    from pdsno_cli.supervisor.open_files import open_files_needed, require_open_files
    from pdsno_cli.system.process_title import set_process_title

    limit = seconds(timeout)
    options = Options(
        check=check, wait=limit if wait is None else seconds(wait), revert=not no_revert
    )
    file, topology, state = to_run(file, state_dir)
    found = running(state) if state.control.exists() and report_to is None else None
    if found is not None:
        require_appliable(found, cycles=cycles, in_process=in_process)
        if dry_run:
            show_plan(topology, state)
        else:
            _converge(file, topology, state, options, watch=watch, stay=not detach)
        return
    if dry_run:
        from pdsno_cli.cli.dry_run import dry_run as show

        show(topology, state, in_process=in_process)
        return
    require_open_files(open_files_needed(topology, in_process=in_process))
    if check is not None:
        require_token(topology, state, check)
    if detach:
        from pdsno_cli.cli.detach import run_detached

        run_detached(file, topology, state, in_process=in_process, timeout=limit)
        return
    state.make()
    set_process_title(topology.name, "supervisor")
    with (
        state.lock(),
        recorded(state),
        _display(topology, state, report_to) as observer,
    ):
        if watch:
            from pdsno_cli.cli.follow import Follower

            Follower(file, state, options, observer.on_message).start()
        board = asyncio.run(_run(topology, state, observer, cycles=cycles, in_process=in_process))
    if cycles is not None:
        from pdsno_cli.cli.summary import summary

        console.data(summary(board, width=console.width()))


def _converge(
    file: Path,
    topology: Topology,
    state: StateDir,
    options: Options,
    *,
    watch: bool,
    stay: bool,
) -> None:
    """Apply the file to what runs; then watch it, or show the run if this is a terminal."""
    from pdsno_cli.cli.apply import apply, attach

    apply(topology, state, options)
    if watch:
        from pdsno_cli.cli.follow import follow

        follow(file, state, options)
    elif stay and console.terminal(sys.stderr) and console.terminal(sys.stdin):
        attach(topology, state, file)


def _display(
    topology: Topology, state: StateDir, report_to: int | None
) -> AbstractContextManager[Observer]:
    """Return the display of the run: the terminal, or its log if ``-d`` started it."""
    if report_to is None:
        from pdsno_cli.cli.display import display

        return display(topology, state.log("supervisor"))
    from pdsno_cli.cli.detach import detached

    return detached(topology, state, report_to)


def _refuse_detached(file: Path | None, cycles: int | None, *, watch: bool) -> None:
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.spec.load import STDIN

    if cycles is not None:
        raise UsageError(
            "--detach and --cycles cannot be combined: the summary would not be printed"
        )
    if watch:
        raise UsageError("--detach and --watch cannot be combined: nobody would see the findings")
    if str(file) == STDIN:
        raise UsageError("--detach cannot be combined with -: the run cannot read stdin again")


async def _run(
    topology: Topology,
    state: StateDir,
    observer: Observer,
    *,
    cycles: int | None,
    in_process: bool,
) -> Board:
    from pdsno_cli.runtime.keys import signing_key
    from pdsno_cli.supervisor.plane import Plane
    from pdsno_cli.supervisor.supervise import Supervisor

    def make_runner(topology: Topology) -> ConvergingRunner:
        key = signing_key(topology, state)
        if in_process:
            from pdsno_cli.supervisor.in_process_runner import InProcessRunner

            return InProcessRunner(topology, state, key, observer.on_message)
        from pdsno_cli.supervisor.process_runner import ProcessRunner

        return ProcessRunner(topology, state, key, observer.on_message)

    runner = make_runner(topology)
    plane = Plane(topology, state, in_process=in_process)
    supervisor = Supervisor(
        topology, state, observer, runner, plane=plane, rebuild=make_runner, cycles=cycles
    )
    await supervisor.run()
    return supervisor.board
