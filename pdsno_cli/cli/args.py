"""Arguments and options that several commands share, and their values as types."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdsno_cli.cli.completion import topologies
from pdsno_cli.model.durations import DAY, parse_duration
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pdsno_cli.spec.topology import Topology

FILE = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        autocompletion=topologies,
        help="A topology's file, or the name of one that is up (default: ./topology.yaml).",
    ),
]
STATE_DIR = Annotated[
    Path | None,
    typer.Option("--state-dir", help="State directory (default: $XDG_STATE_HOME/pdsno/NAME)."),
]
WIDE = Annotated[
    bool, typer.Option("--wide", help="Show every column, whatever the terminal's width.")
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SINCE = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="Such as 10m (ago), 22:30 or 2026-11-26T22:30Z."),
]
TIMEOUT = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="How long to wait, as in 30s or 2m.")
]
DURATIONS = ("fallback", "recovery")
COUNTS = ("delayed", "lost", "twice")
_KEYS = (*DURATIONS, *COUNTS)
_BOUND = re.compile(r"\s*(\S+?)\s*<=\s*(\S+)\s*")


def seconds(text: str) -> float:
    """Return the seconds of a duration such as ``30s``; raises UsageError if it is invalid."""
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def moment(text: str, now: float) -> float:
    """Return the Unix seconds of ``--since``: a duration ago, a time of today, or a date and time.

    Without a zone it is local time. A time of day later than ``now`` is yesterday's. Raises
    UsageError if it is none of these.
    """
    with suppress(ValueError):
        return now - parse_duration(text)
    if ":" in text:  # clock_time accepts 10 for ten o'clock
        with suppress(ValueError):
            today = datetime.fromtimestamp(now).astimezone()
            found = datetime.combine(today, clock_time.fromisoformat(text)).timestamp()
            return found if found <= now else found - DAY
    with suppress(ValueError):
        return datetime.fromisoformat(text).timestamp()
    raise UsageError(
        f"invalid time {text!r}: write 10m (ago), 22:30, 2026-11-26 or 2026-11-26T22:30Z"
    )


def choose_level(value: str) -> str:
    """Return the level that ``--level`` names; raises UsageError if unknown."""
    from pdsno_cli.runtime.log_files import LEVELS

    if value not in LEVELS:
        raise UsageError(f"unknown level {value!r}: {suggest(value, LEVELS)}")
    return value


def choose_format(value: str, formats: Sequence[str], *, as_json: bool = False) -> str:
    """Return the format that ``--format`` or ``--json`` selects; raises UsageError if unknown."""
    if as_json:
        return "json"
    if value not in formats:
        raise UsageError(f"unknown format {value!r}: {suggest(value, formats)}")
    return value


def require_controller(topology: Topology, name: str) -> None:
    """Raise UsageError, with the nearest id, unless the topology declares controller ``name``."""
    if name not in topology.controllers:
        from pdsno_cli.cli.target import known_names

        hint = did_you_mean(name, topology.controllers) or did_you_mean(name, known_names())
        raise UsageError(f"no controller {name!r}: {hint or suggest(name, topology.controllers)}")


def require_region(topology: Topology, name: str) -> None:
    """Raise UsageError, with the nearest name, unless the topology declares region ``name``."""
    if name not in topology.regions:
        raise UsageError(f"no region {name!r}: {suggest(name, topology.regions)}")


def require_scope(topology: Topology, scope: str) -> None:
    """Raise UsageError, with the nearest scope, unless a controller publishes its policy."""
    from pdsno_cli.controllers.policy import scopes

    known = scopes(topology)
    if scope not in known:
        raise UsageError(f"unknown scope {scope!r}: {suggest(scope, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The bound of one ``--expect KEY<=VALUE``: seconds or a count; ``text`` is as written."""

    key: str
    most: float
    text: str

    def exceeded(self, value: float | None) -> bool:
        """Return True if a measured value exceeds the bound; None was not measured."""
        return value is not None and value > self.most


def parse_bounds(texts: Iterable[str]) -> list[Bound]:
    """Return the bounds of all ``--expect`` options; raises UsageError with a suggestion."""
    return [_bound(text) for text in texts]


def exceeded(bounds: Iterable[Bound], values: Mapping[str, float | None]) -> list[Bound]:
    """Return the bounds that the measured values exceed; lost and twice always have the bound 0."""
    always = [Bound(key=key, most=0, text=f"{key}<=0") for key in ("lost", "twice")]
    found = [item for item in bounds if item.exceeded(values[item.key])]
    keys = {item.key for item in found}
    return found + [
        item for item in always if item.key not in keys and item.exceeded(values[item.key])
    ]


def format_measure(key: str, value: float | None) -> str:
    """Return a measured value with its unit."""
    if value is None:
        return "-"
    if value == math.inf:
        return "never"
    return f"{value:.2f} s" if key in DURATIONS else str(round(value))


def _bound(text: str) -> Bound:
    found = _BOUND.fullmatch(text)
    if found is None:
        meant = next((key for key in _KEYS if text.lstrip().startswith(key)), "fallback")
        example = "10s" if meant in DURATIONS else "0"
        raise UsageError(f"invalid --expect {text!r}: write KEY<=VALUE, as in '{meant}<={example}'")
    key, value = found.groups()
    if key not in _KEYS:
        hint = did_you_mean(key, _KEYS) or f"one of: {', '.join(_KEYS)}"
        raise UsageError(f"invalid --expect {text!r}: unknown measure {key!r}: {hint}")
    if key in COUNTS and not value.isdecimal():
        raise UsageError(f"invalid --expect {text!r}: {value!r} is not a number, as in {key}<=0")
    try:
        most = float(value) if key in COUNTS else parse_duration(value)
    except ValueError as exc:
        raise UsageError(f"invalid --expect {text!r}: {exc}") from exc
    return Bound(key=key, most=most, text=f"{key}<={value}")
