"""References to the environment in text: ``${NAME}``, ``${NAME:-default}``, and ``$${`` for ``${``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?"
)


class ReferenceProblem(ValueError):  # noqa: N818  # a value on its way to a finding, not a failure
    """A reference that cannot be resolved; the message is one sentence."""


class UnsetVariable(ReferenceProblem):  # as above
    """A reference to a variable that is not set and has no default."""


def substitute(text: str, environment: Mapping[str, str] | None) -> str:
    """Return ``text`` with every reference replaced; ReferenceProblem for an invalid or unset one.

    As in a shell, the default also stands in for a variable that is empty. Without an environment
    (None) every variable counts as not set.
    """
    known = environment or {}

    def value(match: re.Match[str]) -> str:
        if match["escape"]:
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            raise ReferenceProblem(
                "an incomplete reference: write ${NAME} or ${NAME:-default}, or $${ for a literal ${"
            )
        found = known.get(name)
        if default is not None:
            return found or default
        if found is None:
            raise UnsetVariable(f"the environment variable {name} is not set")
        return found

    return _REFERENCE.sub(value, text) if "${" in text else text


def is_reference(text: str) -> bool:
    """Return True if ``text`` is one reference and nothing else."""
    match = _REFERENCE.fullmatch(text)
    return match is not None and match["name"] is not None


def literal_parts(text: str) -> str:
    """Return the literal parts of ``text``: references are left out, their defaults included."""
    return _REFERENCE.sub(lambda match: match["default"] or "", text)
