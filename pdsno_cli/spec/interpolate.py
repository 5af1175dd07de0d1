"""References to the environment in text: ``${NAME}``, ``${NAME:-default}``, and ``$${`` for ``${``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?"
)

# Variables as a shell, make and Windows write them; in small letters it may be a name, as `$admin`.
_FOREIGN = re.compile(r"\$([A-Z_][A-Z0-9_]*)|\$\(([A-Z_][A-Z0-9_]*)\)|%([A-Z_][A-Z0-9_]*)%")
_TOPICS = ("$SYS",)  # MQTT gives it a meaning
SUSPECT = re.compile(r"""[:\[,-][ ]+["']?(?:\$[A-Z_(]|%[A-Z_])""")


class ReferenceProblem(ValueError):  # noqa: N818  # a value on its way to a finding, not a failure
    """A reference that cannot be resolved; the message is one sentence.

    ``meant`` is what to write instead, if it is known.
    """

    meant: str | None = None


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


def references(text: str) -> list[str]:
    """Return the names of the variables that ``text`` refers to."""
    found = [match["name"] for match in _REFERENCE.finditer(text)]
    return [name for name in found if name is not None]


def is_reference(text: str) -> bool:
    """Return True if ``text`` is one reference and nothing else."""
    match = _REFERENCE.fullmatch(text)
    return match is not None and match["name"] is not None


def shell_variable(text: str) -> ReferenceProblem | None:
    """Return the problem of a text that is a variable in the form of another tool, ``$NAME`` for one."""
    found = _FOREIGN.fullmatch(text)
    if found is None or text in _TOPICS:
        return None
    problem = ReferenceProblem(f"{text} is not a reference to a variable")
    problem.meant = f"${{{found[1] or found[2] or found[3]}}}"
    return problem


def literal_parts(text: str) -> str:
    """Return the literal parts of ``text``: references are left out, their defaults included."""
    return _REFERENCE.sub(lambda match: match["default"] or "", text)
