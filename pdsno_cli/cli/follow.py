"""``pdsno up --watch``: applies the file whenever it is saved; a file with errors changes nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pdsno_cli.cli import console
from pdsno_cli.cli.plan_text import summary
from pdsno_cli.cli.report import concise
from pdsno_cli.client import applying
from pdsno_cli.lint import settings
from pdsno_cli.lint.engine import require
from pdsno_cli.model.errors import InvalidTopologyError, PdsnoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pdsno_cli.cli.apply import Options
    from pdsno_cli.runtime.state_dir import StateDir

_INTERVAL = 0.25  # seconds between two looks; a file is read once it is the same at two of them


class Follower:
    """Watches one file and applies it, on one thread.

    ``announce`` gets lines about it, from that thread.
    """

    def __init__(
        self, file: Path, state: StateDir, options: Options, announce: Callable[[str], None]
    ) -> None:
        self._file = file
        self._state = state
        self._options = options
        self._announce = announce
        self._ended = threading.Event()
        self._seen = self._look()

    def start(self) -> None:
        """Watch on a thread of its own, for as long as the process lives."""
        threading.Thread(target=self.run, name="watch", daemon=True).start()

    def run(self) -> None:
        """Watch on this thread until the topology is down."""
        changed = False
        while not self._ended.wait(_INTERVAL):
            now = self._look()
            if now != self._seen:
                self._seen, changed = now, True
            elif changed:
                changed = False
                self._apply()

    def _look(self) -> tuple[int, int, int] | None:
        try:
            facts = self._file.stat()
        except OSError:  # editors replace a file
            return None
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    def _apply(self) -> None:
        if self._seen is None:
            self._announce(f"{self._file} is gone: what runs stays as it is")
            return
        settings.forget()
        try:
            topology = require(str(self._file))
            plan = applying.apply(
                topology,
                self._state,
                self._announce,
                wait=self._options.wait,
                revert=self._options.revert,
            )
        except InvalidTopologyError as exc:
            self._announce(f"{self._file} has errors: what runs stays as it is")
            for line in concise(exc.diagnostics, colour=False).splitlines():
                self._announce(line)
        except PdsnoError as exc:
            self._announce(str(exc))
            if applying.running(self._state) is None:
                self._ended.set()
        else:
            done = summary(plan).removeprefix("plan: ") if plan["changed"] else "nothing to change"
            self._announce(f"{self._file} applied: {done}")


def follow(file: Path, state: StateDir, options: Options) -> None:
    """Apply the file whenever it is saved, until Ctrl-C, which leaves the topology as it is."""
    console.progress(f"watching {file}; Ctrl-C ends that, the topology goes on")
    Follower(file, state, options, console.message).run()
