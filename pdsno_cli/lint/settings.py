"""What ``[tool.pdsno]`` of ``pyproject.toml``, or ``.pdsno.toml``, says about findings."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pdsno_cli.lint.catalogue import ALWAYS, names
from pdsno_cli.lint.toml_places import error_place, place
from pdsno_cli.model.diagnostics import Severity
from pdsno_cli.model.errors import UsageError
from pdsno_cli.model.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_FILE, SHARED_FILE = ".pdsno.toml", "pyproject.toml"
_SECTION = re.compile(r"\btool\b[\s\]\"'.]*\bpdsno\b")  # else the file is not read any further
_KEYS = ("select", "ignore", "severity", "per-file")
_LEVELS = tuple(level.value for level in Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which findings count, and how much: codes or their beginnings, the longest of which decides.

    ``select`` None is every code.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)

    def selects(self, code: str) -> bool:
        """Return True if findings of ``code`` are reported."""
        if code in ALWAYS:
            return True
        wanted = 0 if self.select is None else _longest(code, self.select)
        return wanted > _longest(code, self.ignore)

    def level(self, code: str, otherwise: Severity) -> Severity:
        """Return the severity of findings of ``code``."""
        length = _longest(code, self.severity)
        if length < 0 or code in ALWAYS:
            return otherwise
        return next(v for k, v in self.severity.items() if len(k) == length and code.startswith(k))

    def under(self, other: Choice) -> Choice:
        """Return this choice with what ``other``, which is more specific, adds to it."""
        return Choice(
            select=self.select if other.select is None else other.select,
            ignore=self.ignore + other.ignore,
            severity={**self.severity, **other.severity},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one configuration file; ``folder`` is its own."""

    folder: Path = Path()
    choice: Choice = field(default_factory=Choice)
    per_file: tuple[tuple[str, Choice], ...] = ()

    def of(self, path: str) -> Choice:
        """Return the choice for a file: each pattern that matches it adds to the common one."""
        choice = self.choice
        if self.per_file:
            name = Path(os.path.relpath(Path(path).absolute(), self.folder)).as_posix()
            for pattern, more in self.per_file:
                if fnmatchcase(name, pattern) or fnmatchcase(Path(name).name, pattern):
                    choice = choice.under(more)
        return choice

    def narrowed(self, *, select: tuple[str, ...] | None, ignore: tuple[str, ...]) -> Settings:
        """Return the settings with those of the command line."""
        return replace(self, choice=self.choice.under(Choice(select=select, ignore=ignore)))


def settings_of(path: Path | str) -> Settings:
    """Return the settings for a topology: of the nearest file upwards; UsageError if invalid."""
    folder = Path.cwd() if str(path) == "-" else Path(path).absolute().parent
    return _nearest(folder)


def read(file: Path) -> Settings | None:
    """Return the settings of one file, None if it has none; UsageError if invalid."""
    try:
        text = file.read_bytes().decode()
    except OSError as exc:
        raise UsageError(f"cannot read {file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{file}:1:1: not UTF-8: save the file as UTF-8") from exc
    own = file.name != SHARED_FILE
    if not own and _SECTION.search(text) is None:
        return None
    import tomllib

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        line, column = error_place(str(exc), text)
        raise UsageError(f"{file}:{line}:{column}: not valid TOML") from exc
    prefix: tuple[str, ...] = () if own else ("tool", "pdsno")
    for key in prefix:
        content = content.get(key, {}) if isinstance(content, dict) else {}
        if content == {}:
            return None
    return _Reader(file, text, prefix).settings(content)


def forget() -> None:
    """Read configuration files again when they are asked for next."""
    _nearest.cache_clear()


@cache
def _nearest(folder: Path) -> Settings:
    for name in (OWN_FILE, SHARED_FILE):
        file = folder / name
        if file.is_file():
            found = read(_shown(file))
            if found is not None:
                return replace(found, folder=folder)
    return Settings() if folder == folder.parent else _nearest(folder.parent)


def _shown(file: Path) -> Path:
    """Return the path as a message shows it: relative to the current folder, if below it."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _longest(code: str, prefixes: Any) -> int:
    return max((len(p) for p in prefixes if code.startswith(p)), default=-1)


@dataclass(frozen=True, slots=True)
class _Reader:
    file: Path
    text: str
    prefix: tuple[str, ...]

    def settings(self, content: Any) -> Settings:
        if not isinstance(content, dict):
            self._refuse((), "takes a table")
        self._known(content, (), _KEYS)
        per_file = content.get("per-file", {})
        if not isinstance(per_file, dict):
            self._refuse(("per-file",), 'takes tables by pattern: [tool.pdsno.per-file."lab/*"]')
        entries = []
        for pattern, value in per_file.items():
            if not isinstance(value, dict):
                self._refuse(("per-file", pattern), 'takes a table, as in {ignore = ["PDS221"]}')
            self._known(value, ("per-file", pattern), _KEYS[:3])
            entries.append((pattern, self._choice(value, ("per-file", pattern))))
        return Settings(
            folder=self.file.absolute().parent,
            choice=self._choice(content, ()),
            per_file=tuple(entries),
        )

    def _choice(self, content: dict[str, Any], where: tuple[str, ...]) -> Choice:
        return Choice(
            select=self._codes(content, (*where, "select")),
            ignore=self._codes(content, (*where, "ignore")) or (),
            severity=self._severity(content.get("severity", {}), (*where, "severity")),
        )

    def _codes(self, content: dict[str, Any], where: tuple[str, ...]) -> tuple[str, ...] | None:
        value = content.get(where[-1])
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._refuse(where, 'takes a list of codes, as in ["PDS221"]')
        for item in value:
            self._code(item, where, item=item, lowers=where[-1] == "ignore")
        return tuple("" if item == "ALL" else item for item in value)

    def _severity(self, value: Any, where: tuple[str, ...]) -> dict[str, Severity]:
        if not isinstance(value, dict):
            self._refuse(where, 'takes a table, as in {PDS221 = "error"}')
        for code, level in value.items():
            self._code(code, (*where, code), lowers=True)
            if level not in _LEVELS:
                hint = did_you_mean(str(level), _LEVELS) or f"one of: {', '.join(_LEVELS)}"
                self._refuse((*where, code), f"cannot be {level!r}: {hint}")
        return {code: Severity(level) for code, level in value.items()}

    def _code(
        self, code: str, where: tuple[str, ...], *, lowers: bool, item: str | None = None
    ) -> None:
        problem = code_problem(code, lowers=lowers)
        if problem is not None:
            self._refuse(where, problem, item=item, bare=True)

    def _known(self, value: dict[str, Any], where: tuple[str, ...], keys: tuple[str, ...]) -> None:
        for key in value:
            if key not in keys:
                hint = did_you_mean(key, keys) or f"known keys: {', '.join(keys)}"
                self._refuse((*where, key), f"unknown key {key!r}: {hint}", bare=True)

    def _refuse(
        self, where: tuple[str, ...], problem: str, *, item: str | None = None, bare: bool = False
    ) -> NoReturn:
        line, column = place(self.text, self.prefix + where, item)
        subject = "" if bare else f"{where[-1] if where else 'tool.pdsno'} "
        raise UsageError(f"{self.file}:{line}:{column}: {subject}{problem}")


def code_problem(code: str, *, lowers: bool) -> str | None:
    """Return why ``code`` selects nothing, or why it cannot be ignored; None if all is well."""
    if lowers and code in ALWAYS:
        return f"{code} cannot be ignored or lowered: nothing else of such a file is checked"
    if code == "ALL" or (code and any(name.startswith(code) for name in names())):
        return None
    hint = did_you_mean(code, names()) or "as in PDS221, or PDS2 for all that begin so"
    return f"unknown code {code!r}: {hint}"
