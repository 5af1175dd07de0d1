"""What the checklist looks at: a running topology, and how long what is on its way may take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pdsno_cli.client.doctor.subject import Subject
from pdsno_cli.model.errors import UsageError
from pdsno_cli.supervisor.control import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_INTERVAL = 0.2  # seconds between two looks, at least
_PAUSES = 3  # times the duration of a look, at least, until the next
_NAMED = 3  # controllers that a line names

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Plane(Subject):
    """A running topology: ``timeout`` is in seconds; ``drill`` permits a fault.

    ``on_progress`` is called with each line of a drill, and before it listens to a broker.
    """

    timeout: float
    drill: bool
    on_progress: Callable[[str], None]

    @property
    def name(self) -> str:
        """The topology's name, for the commands that a hint shows."""
        return self.topology.name

    def rows(self) -> list[dict[str, Any]]:
        """Return the controllers of this topology as its supervisor reports them now.

        Without one on this machine, as they are heard over a declared broker. Raises UsageError if the
        topology is not up.
        """
        try:
            report = ask(self.state.control, {"op": "status"})
        except UsageError:
            if self.topology.broker.embedded:
                raise
            return self._heard
        return [row for row in report["controllers"] if row["id"] in self.topology.controllers]

    @cached_property
    def _heard(self) -> list[dict[str, Any]]:
        """What is heard: an alive controller counts as ready, and as one that has ended a cycle."""
        from pdsno_cli.client.heard import listen

        heard = listen(self.topology, self.state, (), self.on_progress)
        return [
            {
                "id": item.controller_id,
                "health": "ready" if item.level == "alive" else item.level,
                "reason": None,
                "epoch": item.epoch or 0,
                "cycle": 1,
            }
            for item in heard.controllers.values()
        ]

    def poll(self, look: Callable[[], Seen], good: Callable[[Seen], bool]) -> Seen:
        """Return what ``look`` returns once it is ``good``, else after the timeout."""
        deadline = time.monotonic() + self.timeout
        while True:
            began = time.monotonic()
            seen = look()
            now = time.monotonic()
            if good(seen) or now >= deadline:
                return seen
            time.sleep(min(max(_INTERVAL, _PAUSES * (now - began)), deadline - now))


def some(names: Collection[str]) -> str:
    """Return the first names, and how many more there are."""
    first = ", ".join([*names][:_NAMED])
    return first + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
