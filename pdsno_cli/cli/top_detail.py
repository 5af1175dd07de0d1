"""The screens over ``pdsno top``: one controller's status with its log, and a question (textual)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from pdsno_cli.cli.console import clock
from pdsno_cli.cli.top_rows import about
from pdsno_cli.model.printable import printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from pdsno_cli.runtime.log_files import LogFollower

_INTERVAL = 1.0  # seconds
_LOG_LINES = 200


class Detail(Screen[None]):
    """One controller: every member of its status, and its log as it grows."""

    CSS = """
    #about { height: auto; max-height: 50%; }
    #log { height: 1fr; border-top: solid $primary; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q", "app.pop_screen", "back"),
        Binding("r", "restart", "restart"),
    ]

    def __init__(
        self, row: Callable[[], dict[str, Any]], log: LogFollower, restart: Callable[[], None]
    ) -> None:
        super().__init__()
        self._row = row
        self._log = log
        self._restart = restart
        self._entries: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out status and log."""
        yield Static("", id="about", markup=False)
        with VerticalScroll(id="log"):
            yield Static("", id="entries", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show both now and every second."""
        self.query_one("#log").focus()
        self.set_interval(_INTERVAL, self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        self.query_one("#about", Static).update(printable_lines("\n".join(about(self._row()))))
        news = [
            f"{clock(entry.time)}  {'' if entry.level == 'info' else entry.level + ': '}{entry.text}"
            for entry in self._log.read()
        ]
        if news:
            self._entries = [*self._entries, *news][-_LOG_LINES:]
            self.query_one("#entries", Static).update(printable_lines("\n".join(self._entries)))
            self.query_one("#log", VerticalScroll).scroll_end(animate=False)

    def action_restart(self) -> None:
        """Restart this controller, once that is confirmed."""
        self._restart()


class Question(ModalScreen[bool]):
    """Asks whether to do something; only ``y`` does it."""

    CSS = """
    Question { align: center middle; }
    #question { width: auto; height: auto; padding: 1 2; border: solid $warning; }
    """
    BINDINGS: ClassVar = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Show the question and its keys."""
        yield Static(f"{self._text}  y: yes, n: no", id="question", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)
