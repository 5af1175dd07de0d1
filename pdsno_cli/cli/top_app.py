"""The full-screen view of a running topology (textual): its controllers by region."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App
from textual.binding import Binding
from textual.widgets import DataTable, Footer, Input, Static

from pdsno_cli.cli.top_detail import Detail, Question
from pdsno_cli.cli.top_rows import HEAD, ORDERS, View, arrange, columns_of
from pdsno_cli.model.errors import PdsnoError
from pdsno_cli.model.printable import printable
from pdsno_cli.runtime.log_files import LogFollower
from pdsno_cli.supervisor.control import ask

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from pdsno_cli.cli.top_rows import Line
    from pdsno_cli.runtime.state_dir import StateDir

INTERVAL = 1.0  # seconds between two readings of the status
_TIMEOUT = 3.0  # seconds for an answer
_COLOURS = {"ready": "green", "failed": "bold red", "down": "red", "stopped": "dim"}


_OF_TABLE = ("quit", "fold", "fold_all", "filter", "sort", "restart")


class Top(App[None]):
    """Shows the status of the run of one state directory until ``q``."""

    CSS = """
    #head { height: 1; text-style: bold; }
    #table { height: 1fr; }
    #note { height: auto; max-height: 3; color: $text-warning; }
    #filter { display: none; height: 1; border: none; }
    #filter.shown { display: block; }
    """
    BINDINGS: ClassVar = [
        Binding("q", "quit", "quit"),
        Binding("space", "fold", "fold"),
        Binding("f", "fold_all", "fold all"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("s", "sort", "sort"),
        Binding("r", "restart", "restart"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, name: str, state: StateDir) -> None:
        super().__init__()
        self._name = name
        self._state = state
        self._report: dict[str, Any] | None = None
        self._view = View()
        self._lines: list[Line] = []
        self._columns: list[int] = []

    def compose(self) -> ComposeResult:
        """Lay out the head, the table, a note and the keys."""
        yield Static(f"{self._name}: no answer yet", id="head", markup=False)
        yield DataTable(id="table", cursor_type="row", zebra_stripes=False, cell_padding=1)
        yield Static("", id="note", markup=False)
        yield Input(placeholder="part of an id, region or state", id="filter")
        yield Footer(show_command_palette=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer the keys of the table only where it is in front."""
        del parameters
        return len(self.screen_stack) == 1 or action not in _OF_TABLE

    def on_mount(self) -> None:
        """Read the status now and every second."""
        self.query_one(DataTable).focus()
        self.set_interval(INTERVAL, self.read)
        self.read()

    @work(thread=True, exclusive=True)
    def read(self) -> None:
        """Read the status, on a thread: a supervisor that is frozen must not freeze the keys."""
        try:
            report = ask(self._state.control, {"op": "status"}, timeout=_TIMEOUT)
        except (PdsnoError, json.JSONDecodeError) as exc:
            self.call_from_thread(self.note, str(exc))
        else:
            self.call_from_thread(self._show, report)

    def note(self, text: str) -> None:
        """Show a line below the table."""
        self.query_one("#note", Static).update(printable(text))

    def _show(self, report: dict[str, Any]) -> None:
        self._report = report
        rows = report["controllers"]
        ready = sum(row["health"] == "ready" for row in rows)
        filtered = f" · filter {self._view.needle}" if self._view.needle else ""
        self.query_one("#head", Static).update(
            printable(
                f"{report['topology']} · {ready}/{len(rows)} ready · {report['broker']} · "
                f"by {self._view.order}{filtered}"
            )
        )
        self.note("")
        self._draw()

    def _draw(self) -> None:
        """Draw the rows; the cursor stays on its row."""
        if self._report is None:
            return
        table = self.query_one(DataTable)
        key = self._chosen.key if self._chosen is not None else None
        self._lines = arrange(self._report, self._view)
        columns = columns_of(self._lines, self.size.width - 2)
        top = table.scroll_y
        table.clear(columns=True)
        for index in columns:
            table.add_column(HEAD[index])
        for line in self._lines:
            style = _COLOURS.get(line.health, "yellow")
            table.add_row(
                *(
                    Text(printable(line.cells[n]), style=style if HEAD[n] == "state" else "")
                    for n in columns
                ),
                key=line.key,
            )
        keys = [line.key for line in self._lines]
        if key in keys:
            table.move_cursor(row=keys.index(key), scroll=False)
            table.scroll_to(y=top, animate=False)

    @property
    def _chosen(self) -> Line | None:
        """The row of the cursor."""
        row = self.query_one(DataTable).cursor_row
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def on_resize(self) -> None:
        """Choose the columns again."""
        self._draw()

    def on_data_table_row_selected(self) -> None:
        """Open the row of the cursor, at Enter."""
        self.action_open()

    def action_open(self) -> None:
        """Show a controller's detail and log, or fold a region."""
        line = self._chosen
        if line is None or self._report is None:
            return
        if line.controller_id is None:
            self.action_fold()
        else:
            name = line.controller_id
            follower = LogFollower(self._state.logs, name.__eq__)
            self.push_screen(Detail(lambda: self._row(name), follower, lambda: self._restart(name)))

    def action_fold(self) -> None:
        """Fold or unfold the region of the cursor."""
        line = self._chosen
        if line is not None and line.controller_id is None:
            name = line.key.removeprefix("region ")
            self._change(folded=self._view.folded ^ {name})

    def action_fold_all(self) -> None:
        """Fold every region, or unfold all if all are folded."""
        if self._report is not None:
            names = {row["region"] for row in self._report["controllers"]} - {None}
            folded = self._view.folded >= names
            self._change(folded=frozenset() if folded else frozenset(names))

    def action_sort(self) -> None:
        """Use the next order."""
        self._change(order=ORDERS[(ORDERS.index(self._view.order) + 1) % len(ORDERS)])

    def action_filter(self) -> None:
        """Ask for a part of an id, a region or a state."""
        field = self.query_one("#filter", Input)
        field.add_class("shown")
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._change(needle=event.value.strip())

    def on_input_submitted(self) -> None:
        """Return to the table; the filter stays."""
        self.query_one("#filter", Input).remove_class("shown")
        self.query_one(DataTable).focus()

    def on_key(self, event: Any) -> None:
        """Drop the filter at Escape."""
        if event.key == "escape" and (
            self._view.needle or self.query_one("#filter").has_class("shown")
        ):
            self.query_one("#filter", Input).value = ""
            self.on_input_submitted()
            event.stop()

    def action_restart(self) -> None:
        """Restart the controller of the cursor, once that is confirmed."""
        line = self._chosen
        if line is not None and line.controller_id is not None:
            self._restart(line.controller_id)

    def _restart(self, name: str) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._order(name)

        self.push_screen(Question(f"Restart {name}?"), answered)

    @work(thread=True)
    def _order(self, name: str) -> None:
        """Have the supervisor restart a controller."""
        try:
            request = {"op": "restart_controller", "id": name}
            ask(self._state.control, request, timeout=_TIMEOUT)
        except PdsnoError as exc:
            self.call_from_thread(self.note, str(exc))
        else:
            self.call_from_thread(self.note, f"{name}: restarting")

    def _row(self, name: str) -> dict[str, Any]:
        """Return the status of a controller as last read."""
        rows: list[dict[str, Any]] = self._report["controllers"] if self._report else []
        return next((row for row in rows if row["id"] == name), {"id": name})

    def _change(self, **changes: Any) -> None:
        values = {name: getattr(self._view, name) for name in ("folded", "needle", "order")}
        self._view = View(**(values | changes))
        if self._report is not None:
            self._show(self._report)


def run_top(name: str, state: StateDir) -> None:
    """Show the view until ``q``."""
    Top(name, state).run()
