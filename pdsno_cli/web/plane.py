"""What the page shows of one topology, as documents; each method may block, on any thread."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import InvalidTopologyError, PdsnoError, UsageError
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_STDIN = "-"


class Plane:
    """One topology, by its file and its state directory, whatever becomes of either.

    The file is read again when it changes. While it has findings or is gone, the topology before stays
    in force, and the overview has the reason. ``on_trouble`` is called with progress of connections.
    """

    def __init__(
        self, topology: Topology, state: StateDir, *, on_trouble: Callable[[str], None]
    ) -> None:
        self.state = state
        self._on_trouble = on_trouble
        self._said = ""
        self.name = topology.name
        self._topology = topology
        self._signature = _signature(topology.path)
        self._trouble: str | None = None
        self._lock = threading.Lock()
        self._seen_up: float | None = None

    def on_trouble(self, text: str) -> None:
        """Pass on the progress of a connection; what each reading repeats is passed on once."""
        if text != self._said:
            self._said = text
            self._on_trouble(text)

    def topology(self) -> Topology:
        """Return the topology of the file, or what it was before."""
        with self._lock:
            now = _signature(self._topology.path)
            if now != self._signature:
                self._signature = now
                self._trouble = self._reload()
            return self._topology

    def _reload(self) -> str | None:
        """Read the file again; return what is wrong with it."""
        from pdsno_cli.lint.engine import require

        path = str(self._topology.path)
        try:
            topology = require(path)
        except InvalidTopologyError as exc:
            first = exc.diagnostics[0]
            return f"{path} has findings, the first: {first.message}; pdsno validate shows all"
        except PdsnoError as exc:
            return str(exc)
        if topology.name != self.name:
            return f"{path} now has the name {topology.name}: start pdsno web again to see that"
        self._topology = topology
        return None

    def overview(self) -> dict[str, Any]:
        """Return the status of the plane, or why there is none; times are Unix seconds."""
        from pdsno_cli.client.plane_status import read_status
        from pdsno_cli.client.topologies import listed_topology
        from pdsno_cli.runtime.known_states import known_state

        topology = self.topology()
        report, why = None, None
        try:
            report = read_status(self.state, lambda: (topology, self.state), self.on_trouble)
            self._seen_up = time.time()
        except PdsnoError as exc:
            why = str(exc)
        known = known_state(self.state)
        if report is not None:
            state = "heard" if report["source"] == "heard" else "up"
            since = None if known is None or known.record is None else known.record.started_at
        elif known is None:
            state, since = "absent", None
        else:
            listed = listed_topology(known)
            state, since = listed.state, listed.since
        return {
            "state": state,
            "since": since,
            "seen_up": self._seen_up,
            "why": why,
            "file": str(topology.path),
            "trouble": self._trouble,
            "status": report,
            "declared": [
                {"id": spec.controller_id, "role": spec.role.value, "region": spec.region}
                for spec in topology.controllers.values()
            ],
        }


def inventory_owners(topology: Topology) -> list[str]:
    """Return the controllers whose store may have the inventory, the one with the widest view first."""
    return [
        spec.controller_id
        for role in (Role.GLOBAL, Role.REGIONAL, Role.LOCAL)
        for spec in topology.of_role(role)
    ]


def first_store(topology: Topology, state: StateDir) -> str:
    """Return the first of ``inventory_owners`` whose store is on this machine.

    The global one if there is none, or if stores are in a database: reading it says what is wrong.
    """
    owners = inventory_owners(topology)
    for owner in owners:
        if topology.controllers[owner].nib is not None or state.store(owner).exists():
            return owner
    if not owners:
        raise UsageError(f"{topology.name} declares no controller")
    return owners[0]


def _signature(path: Path | str) -> tuple[int, int] | None:
    """Return modification time and size of a file; None if it is not there, or stdin."""
    if str(path) == _STDIN:
        return None
    try:
        facts = Path(path).stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size
