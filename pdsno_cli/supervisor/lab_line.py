"""The supervisor's end of the line to the lab's process: ready, requests and answers."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import LabError
from pdsno_cli.runtime.child import LAB

if TYPE_CHECKING:
    from pdsno_cli.supervisor.spawner import Spawner

_PATIENCE = 5.0  # seconds the lab may take to answer


class LabLine:
    """Talks to the lab: JSON lines both ways; an answer carries the number of its request."""

    def __init__(self, spawner: Spawner) -> None:
        self._spawner = spawner
        self._ready: asyncio.Future[None] | None = None
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def ready(self) -> None:
        """Wait until the lab's devices answer; LabError, with its words, when they cannot."""
        self._ready = asyncio.get_running_loop().create_future()
        await self._ready

    def hear(self, line: bytes) -> None:
        """Take one line of the lab; an answer that nobody waits for any more is dropped."""
        answer: dict[str, Any] = json.loads(line)
        if "number" in answer:
            future = self._waiting.pop(answer.pop("number"), None)
            if future is not None and not future.done():
                future.set_result(answer)
        elif self._ready is not None and not self._ready.done():
            if "error" in answer:
                self._ready.set_exception(LabError(answer["error"]))
            else:
                self._ready.set_result(None)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have the lab change; LabError when it cannot."""
        if self._ready is None:
            raise LabError("this topology has no lab")
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._spawner.tell(LAB, json.dumps({**request, "number": number}).encode())
            answer = await asyncio.wait_for(future, _PATIENCE)
        except TimeoutError as exc:
            raise LabError(f"the lab did not answer within {_PATIENCE:g} s") from exc
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer
