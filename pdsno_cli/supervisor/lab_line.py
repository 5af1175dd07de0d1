"""The supervisor's end of the socket to the lab's process: readiness, requests and answers."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import TYPE_CHECKING, Any

from pdsno_cli.model.errors import LabError
from pdsno_cli.runtime.child import LAB

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT = 5.0  # seconds that the lab has to answer


class LabLine:
    """Exchanges JSON lines with the lab; an answer carries the number of its request.

    ``ready`` is called once the lab's devices answer, ``failed`` if it cannot serve them.
    """

    def __init__(
        self,
        send: Callable[[str, bytes], None],
        *,
        ready: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._send = send
        self._ready = ready
        self._failed = failed
        self._is_ready = False
        self._numbers = count(1)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}

    def expect_start(self) -> None:
        """Await the readiness of a lab that the topology did not have until now."""
        self._is_ready = False

    def receive(self, line: bytes) -> None:
        """Handle one line of the lab; an answer after its timeout is dropped."""
        answer: dict[str, Any] = json.loads(line)
        if "number" in answer:
            future = self._pending.pop(answer.pop("number"), None)
            if future is not None and not future.done():
                future.set_result(answer)
        elif not self._is_ready:  # else it was restarted
            if "error" in answer:
                self._failed(answer["error"])
            else:
                self._is_ready = True
                self._ready()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a change to the lab and return its answer; raises LabError if it is refused."""
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            self._send(LAB, json.dumps({**request, "number": number}).encode())
            answer = await asyncio.wait_for(future, _TIMEOUT)
        except TimeoutError as exc:
            raise LabError(f"the lab did not answer within {_TIMEOUT:g} s") from exc
        finally:
            self._pending.pop(number, None)
        if "error" in answer:
            raise LabError(answer["error"])
        return answer
