"""What runs: the topology with its secrets as digests, and the record of it in the state directory.

A file's secrets are read in the environment of the command that sends it, which is laid over that of
this process.
"""

from __future__ import annotations

import os
import secrets as entropy
from typing import TYPE_CHECKING, Any

from pdsno_cli.runtime.run_record import applied, new_record, read_record, write_record
from pdsno_cli.spec.resolved import decode, normal, resolve_secrets
from pdsno_cli.supervisor.plan import Plan, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.resolved import Environment, Resolved
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board

_SALT = 16  # bytes


class Plane:
    """The topology of one run, which an apply replaces. Event-loop thread only."""

    def __init__(self, topology: Topology, state: StateDir, *, in_process: bool) -> None:
        salt = entropy.token_bytes(_SALT)
        self.in_process = in_process
        self.environment: dict[str, str | None] = {}  # of the last file that was applied
        self.resolved = resolve_secrets(normal(topology), salt)
        self._state = state
        self._salt = salt
        self._number = 0  # of applies
        self._record = new_record(self.resolved, salt, in_process=in_process)
        self._unsure: frozenset[str] = frozenset()  # those that a failed change was to change
        self.left: tuple[str, ...] = ()  # removed by a run that was killed before it was done

    @property
    def topology(self) -> Topology:
        """The topology that runs."""
        return self.resolved.topology

    @property
    def generation(self) -> str:
        """A name of the present state of the run, which no other state ever has."""
        return f"{self._record.pid_started}/{self._record.pid}/{self._number}"

    def begin(self) -> None:
        """Write the record; ``left`` has what a killed run had not yet removed."""
        before = read_record(self._state)
        known = before.removing if before is not None else ()
        self.left = tuple(name for name in known if name not in self.topology.controllers)
        self._record = applied(self._record, self.resolved, removing=self.left)
        write_record(self._state, self._record)

    def resolve(self, request: Mapping[str, Any]) -> tuple[Resolved, Environment]:
        """Return the topology of a request, and the variables that its secrets refer to."""
        environment: Environment = request["environment"]
        topology = decode(request["topology"].encode())
        known = laid_over(os.environ, {**self.environment, **environment})
        return resolve_secrets(topology, self._salt, known), environment

    def plan(self, resolved: Resolved, board: Board, given_up: Iterable[str]) -> Plan:
        """Return the plan from what runs to another topology."""
        return make_plan(
            self.resolved,
            resolved,
            generation=self.generation,
            again={
                **dict.fromkeys(self._unsure, "its last change was not completed"),
                **dict.fromkeys(given_up, "it was given up"),
            },
            devices={row.controller_id: row.devices or 0 for row in board.rows.values()},
        )

    def intend(self, removing: Iterable[str]) -> None:
        """Note what is about to be removed: a run that is killed meanwhile leaves it to the next."""
        self._record = applied(self._record, self.resolved, removing=tuple(removing))
        write_record(self._state, self._record)

    def doubt(self, names: Iterable[str]) -> None:
        """Note controllers of which it is not known how they run: the next apply restarts them."""
        self._unsure |= frozenset(names)
        self._number += 1

    def adopt(
        self, resolved: Resolved, environment: Environment, removing: Iterable[str] = ()
    ) -> None:
        """Make another topology the one that runs; ``removing`` still has state here."""
        self.resolved = resolved
        self._unsure = frozenset()
        self.environment |= environment
        self._number += 1
        self._record = applied(self._record, resolved, removing=tuple(removing))
        write_record(self._state, self._record)

    def removed(self, names: Iterable[str]) -> None:
        """Remove the state of controllers that are gone, then note that nothing of them is left."""
        for name in names:
            self._state.forget(name)
        self._record = applied(self._record, self.resolved)
        write_record(self._state, self._record)


def laid_over(known: Mapping[str, str], others: Environment) -> dict[str, str]:
    """Return an environment with ``others`` in place of the variables of the same names."""
    both: dict[str, str | None] = {**known, **others}
    return {name: value for name, value in both.items() if value is not None}
