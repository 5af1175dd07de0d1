"""The live table of a run on a terminal (rich), redrawn at most a few times a second."""

from __future__ import annotations

import re
import sys
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Self, cast

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pdsno_cli.cli.console import Unbroken
from pdsno_cli.cli.cycle_warnings import CycleWarnings
from pdsno_cli.cli.keys import Keys
from pdsno_cli.model.columns import fitting
from pdsno_cli.model.durations import format_age
from pdsno_cli.model.notices import CycleNotice, Notice, WarningNotice
from pdsno_cli.model.printable import printable
from pdsno_cli.model.roles import Role

if TYPE_CHECKING:
    from types import TracebackType

    from pdsno_cli.cli.keys import Key
    from pdsno_cli.spec.topology import Topology
    from pdsno_cli.supervisor.board import Board, Row

_COLOURS = {"ready": "green", "failed": "red", "disconnected": "yellow", "restarting": "yellow",
            "degraded": "yellow", "down": "red"}  # fmt: skip
_COLUMNS = (
    "controller",
    "role",
    "region",
    "state",
    "transport",
    "last cycle",
    "devices",
    "sent",
    "committed",
)
# Columns that a narrow window lacks, those first that are missed least; names are never cut.
_DROP = ("transport", "sent", "role", "committed", "region", "devices", "last cycle")
_MESSAGES = 6  # lines below the table
_PORT = re.compile(
    r" \(v[\d.]+: \d+\)"
)  # of the broker, for the other version: a narrow title lacks it
_END = 1_000_000  # beyond every row


class LiveTable:
    """Redraws the board; rich's own thread reads it four times a second."""

    def __init__(self, topology: Topology, *, colour: bool) -> None:
        self._name = topology.name
        self._board: Board | None = None
        self._warnings = CycleWarnings()
        self._title = f"{topology.name}: starting"
        self._messages: deque[str] = deque(maxlen=_MESSAGES)
        self._keys = Keys(self._pressed)
        self._first = 0  # of the rows, the one on top
        self._room = 1  # rows that fit
        self._console = Console(file=cast("IO[str]", Unbroken(sys.stderr)), no_color=not colour)
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=False
        )

    def __enter__(self) -> Self:
        self._keys.__enter__()
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()
        self._keys.__exit__(kind, value, trace)

    def on_start(self, board: Board, broker: str) -> None:
        """Draw this board from now on."""
        self._board = board
        self._title = f"{self._name} · {broker}"

    def on_notice(self, notice: Notice) -> None:
        """Show warnings; the table shows the rest."""
        if isinstance(notice, WarningNotice):
            self.on_message(f"{notice.controller_id}: {notice.text}")
        elif isinstance(notice, CycleNotice) and (line := self._warnings.take(notice)):
            self.on_message(line)

    def on_message(self, text: str) -> None:
        """Show a line below the table."""
        self._messages.append(printable(text))

    def on_ready(self, seconds: float) -> None:
        """Show the time it took."""
        self._title += f" · all ready in {seconds:.1f} s"

    def _pressed(self, key: Key) -> None:
        """Scroll; on the thread of the keys."""
        page = max(self._room - 1, 1)
        steps = {"up": -1, "down": 1, "page up": -page, "page down": page}
        self._first = {"home": 0, "end": _END}.get(key, self._first + steps.get(key, 0))
        self._live.refresh()

    def _draw(self) -> Group:
        rows = self._board.shown if self._board is not None else []
        messages = tuple(self._messages)  # a copy: the loop's thread goes on appending
        # Beside them: title, headings, the count of hidden rows, the line where ^C is echoed, and
        # the cursor's at the end.
        room = max(self._console.size.height - len(messages) - 5, 1)
        # Rows that are not ready first, where not all fit.
        ranked = rows if len(rows) <= room else sorted(rows, key=self._calm)
        self._room = room
        self._first = first = max(min(self._first, len(rows) - room), 0)
        shown = ranked[first : first + room]
        lines = [_cells(row, self._state(row)) for row in shown]
        texts = [[str(cell) for cell in line] for line in lines]
        shown_columns = fitting(_COLUMNS, texts, width=self._console.size.width, drop=_DROP)
        title = self._title + self._broker()
        if cell_len(title) > self._console.size.width:
            title = _PORT.sub("", title)
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for index in shown_columns:
            name = _COLUMNS[index]
            width = max(map(cell_len, (name, *(text[index] for text in texts))))
            number = name in ("devices", "sent", "committed")
            table.add_column(name, justify="right" if number else "left", no_wrap=True, width=width)
        for line in lines:
            table.add_row(*(line[index] for index in shown_columns))
        words = [Text(word, style="dim", no_wrap=True, overflow="ellipsis") for word in messages]
        if len(shown) < len(rows):
            ready = sum(self._state(row) == "ready" for row in rows)
            text = f"… {len(rows) - len(shown)} more, {ready} of {len(rows)} ready"
            words.insert(0, Text(text + ("; arrow keys scroll" if self._keys.active else "")))
        return Group(table, *words, Text())

    def _broker(self) -> str:
        """Return since when the broker is away, empty if it is not."""
        state = None if self._board is None else self._board.broker()
        if state is None or state.up:
            return ""
        return f" · broker away for {format_age(time.time() - state.since)}"

    def _state(self, row: Row) -> str:
        """Return the reported state of a controller, or its health if it reports ready."""
        assert self._board is not None
        return self._board.health(row).level if row.state == "ready" else row.state

    def _calm(self, row: Row) -> tuple[bool, int]:
        return (self._state(row) == "ready", list(Role).index(row.role))


def _cells(row: Row, state: str) -> tuple[str | Text, ...]:
    at = row.last_cycle_at
    ago = "" if at is None else f", {format_age(time.monotonic() - at)} ago"
    outcome = "" if row.outcome == "complete" else f" {row.outcome}"
    return (
        row.controller_id,
        row.role.value,
        row.region or "",
        Text(state, style=_COLOURS.get(state, "")),
        row.transport or "",
        f"{row.last_cycle}{outcome}{ago}" if row.last_cycle else "",
        "" if row.devices is None else str(row.devices),
        str(row.sent) if row.role is Role.LOCAL else "",
        "" if row.committed is None else str(row.committed),
    )
