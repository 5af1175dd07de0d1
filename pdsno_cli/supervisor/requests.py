"""Answers the requests of the control socket about one run; a runner has some of its own."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import OperationError
from pdsno_cli.supervisor.control import stream_result
from pdsno_cli.supervisor.plan_report import plan_report
from pdsno_cli.supervisor.report import status_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.supervisor.apply import Applier
    from pdsno_cli.supervisor.control import Answer, Operation
    from pdsno_cli.supervisor.supervise import Supervisor

_SHOWN = 60  # characters of an unknown request


class Requests:
    """The requests that any run answers. Event-loop thread only.

    ``announce`` gets the lines of an apply, beside the client that asked for it.
    """

    def __init__(self, run: Supervisor, applier: Applier, announce: Callable[[str], None]) -> None:
        self._run = run
        self._applier = applier
        self._announce = announce
        self._own: dict[str, Operation] = {
            "running": self._running,
            "board": lambda _: run.board.dump(run.runner.broker.text),
            "status": self._status,
            "plan": self._plan,
            "apply": self._apply,
            "stop": self._stop,
        }

    async def answer(self, request: dict[str, Any]) -> Answer:
        """Answer one request; raises OperationError where that is not possible."""
        run = self._run  # its orders and its runner are others after a replacement
        others = dict(run.orders.operations) | dict(run.runner.operations)
        operation = (self._own | others).get(request["op"])
        if operation is None:
            raise OperationError(f"unknown request {str(request['op'])[:_SHOWN]!r}")
        answer = operation(request)
        return await answer if inspect.isawaitable(answer) else answer

    def _running(self, _request: dict[str, Any]) -> dict[str, Any]:
        plane = self._run.plane
        return {
            "topology": plane.topology.name,
            "file": plane.topology.path,
            "in_process": plane.in_process,
        }

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        run = self._run
        report = status_report(run.plane.topology.name, run.board, run.runner.broker)
        if "fault" in request:
            report["fault"] = run.runner.operations["fault_age"]({"token": request["fault"]})
        return report

    def _plan(self, request: dict[str, Any]) -> dict[str, Any]:
        resolved, _ = self._run.plane.resolve(request)
        return plan_report(self._applier.plan(resolved))

    def _apply(self, request: dict[str, Any]) -> Answer:
        """Return what applies a topology, and writes its progress to the connection."""

        def progress(text: str) -> None:
            self._announce(text)
            lines.put_nowait({"progress": text})

        lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        return partial(stream_result, lines, self._run.keep(self._applier.apply(request, progress)))

    def _stop(self, _request: dict[str, Any]) -> dict[str, Any]:
        self._run.stop()
        return {"stopping": True}
