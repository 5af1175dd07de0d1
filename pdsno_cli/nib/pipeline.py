"""The pipelined commit: a transaction is written on a second thread while the next one is gathered.

In a flow of reports as fast as ten senders can publish, the owner of the store would otherwise wait
for the database a fifth of its time. The price is that a transaction may begin on top of one that is
not yet committed, and is undone with it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Generic, TypeVar

from pdsno_cli.model.errors import PdsnoError

Result = TypeVar("Result")


class CommitPipeline(Generic[Result]):
    """At most one commit at a time; both methods are for the thread that owns the store."""

    def __init__(self) -> None:
        self._pending: tuple[Future[Result], Callable[[bool], None]] | None = None
        self.result: Result | None = None  # of the last commit that succeeded

    @property
    def busy(self) -> bool:
        """Return True if a commit has not been waited for."""
        return self._pending is not None

    def start(self, write: Callable[[], Result], finished: Callable[[bool], None]) -> None:
        """Run ``write`` on a thread of its own; it has the connection until ``wait`` returns."""
        future: Future[Result] = Future()
        self._pending = future, finished
        Thread(target=_run, args=(future, write), name="writer").start()

    def wait(self) -> Exception | None:
        """Wait for the commit and call its ``finished`` with True if it succeeded, on this thread.

        Return the exception that made it fail; one that stops the store for good is raised.
        """
        if self._pending is None:
            return None
        (future, finished), self._pending = self._pending, None
        error = future.exception()
        if error is None:
            self.result = future.result()
        finished(error is None)
        if isinstance(error, PdsnoError) or not isinstance(error, Exception | None):
            raise error
        return error


def _run(future: Future[Result], write: Callable[[], Result]) -> None:
    try:
        future.set_result(write())
    except BaseException as exc:  # noqa: BLE001 - raised, or returned, by wait
        future.set_exception(exc)
