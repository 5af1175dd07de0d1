"""The status of a plane: what its supervisor reports, else what is heard over its broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology


def read_status(
    state: StateDir,
    load: Callable[[], tuple[Topology, StateDir]],
    on_trouble: Callable[[str], None],
) -> dict[str, Any]:
    """Return the document of ``pdsno status --json``; UsageError if the plane is not up.

    ``load`` is called only where no supervisor answers. Then a declared broker is listened to, which
    takes as long as the controllers' heartbeats are apart; ``on_trouble`` is called with progress.
    """
    from pdsno_cli.client.heard import listen
    from pdsno_cli.client.heard_report import heard_report
    from pdsno_cli.supervisor.control import ask

    try:
        return ask(state.control, {"op": "status"})
    except UsageError as not_up:
        topology, state = load()
        if topology.broker.embedded:
            raise not_up from None
        return heard_report(listen(topology, state, (), on_trouble))
