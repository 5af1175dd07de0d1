"""The values of a plan: what happens to one controller, and which fields differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pdsno_cli.model.roles import Role
    from pdsno_cli.supervisor.effects import Effect


class Kind(Enum):
    """What happens to a controller."""

    ADD = "add"
    REMOVE = "remove"
    MOVE = "move"  # to another region: it starts again there, and leaves nothing at the old one
    LIVE = "live"  # it goes on, with its connection
    RESTART = "restart"
    REPLACE = "replace"  # with everything else, or under the same id with another role


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs: its path as in the file, both values as text, None for none.

    ``effect`` is what it takes; a secret's values are digests.
    """

    path: str
    old: str | None
    new: str | None
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one controller; ``because`` has reasons that are not fields of its own.

    With a ``new_parent`` it has to report all that it knows again.
    """

    controller_id: str
    role: Role
    region: str | None
    kind: Kind
    fields: tuple[FieldChange, ...] = ()
    because: tuple[str, ...] = ()
    new_parent: bool = False
