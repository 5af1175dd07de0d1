"""The checks of ``pdsno doctor``: of a machine, of the state on it, and of a broker, for a topology.

A check is a function of a ``Subject`` that yields ``Finding``s, in a module beside this one, and one
entry in ``CHECKS``. It changes nothing and leaves nothing behind, raises nothing for what may be
wrong outside, and says what to do::

    def check_clock(subject: Subject) -> Iterator[Finding]:
        yield Finding(check="clock", verdict="warn", text="…", hint="set up NTP")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, TypeVar

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.errors import PdsnoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pdsno_cli.client.doctor.subject import Subject

# In the order of the output: what others need comes first.
CHECKS = (
    ("machine", "check_privileges"),
    ("machine", "check_resolver"),
    ("machine", "check_open_files"),
    ("machine", "check_ports"),
    ("state", "check_disk"),
    ("state", "check_owner"),
    ("state", "check_locks"),
    ("state", "check_leftovers"),
    ("state", "check_keys"),
    ("broker", "check_connection"),
    ("broker", "check_version"),
    ("messages", "check_messages"),
    ("messages", "check_will"),
    ("plane", "check_plane"),
)


Examined = TypeVar("Examined", bound="Subject")


def examine(
    subject: Examined,
    checks: Sequence[tuple[str, str]] = CHECKS,
    package: str = __name__,
) -> Iterator[Finding]:
    """Yield the findings of every check, each a module of ``package`` and a function in it."""
    for module, name in checks:
        check: Callable[[Examined], Iterator[Finding]] = getattr(
            importlib.import_module(f"{package}.{module}"), name
        )
        try:
            yield from check(subject)
        except PdsnoError as exc:
            title = name.removeprefix("check_").replace("_", " ")
            yield Finding(check=title, verdict="fail", text=str(exc))
