"""Warnings about discovery cycles, each once until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pdsno_cli.model.probe_warnings import probe_warning

if TYPE_CHECKING:
    from pdsno_cli.model.notices import CycleNotice


class CycleWarnings:
    """The warning of each controller's last cycle."""

    def __init__(self) -> None:
        self._last: dict[str, str | None] = {}
        self._answered: set[str] = set()  # controllers whose agents answered SNMP in any cycle

    def take(self, notice: CycleNotice) -> str | None:
        """Return the warning of a cycle as a line, None if there is none or it is known."""
        name = notice.controller_id
        text = probe_warning(notice.probes, before=name in self._answered or notice.snmp > 0)
        if any(probe.protocol == "snmp" and probe.answers for probe in notice.probes):
            self._answered.add(name)
        known, self._last[name] = self._last.get(name), text
        return None if text is None or text == known else f"{name}: warning: {text}"
