"""What delivery needs of the controller that it works for, as protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdsno_cli.model.messages import Command, Envelope
    from pdsno_cli.model.notices import Notice
    from pdsno_cli.nib.store import Transaction


class Cancellable(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Drop the call."""


class Scheduler(Protocol):
    """Timers of the owner's thread."""

    def after(self, seconds: float, work: Callable[[], None]) -> Cancellable:
        """Call ``work`` on the owner's thread in ``seconds``."""


class Mailbox(Scheduler, Protocol):
    """The work queue of the owner's thread."""

    def post(self, work: Callable[[], None]) -> None:
        """Queue ``work`` from any thread; wait while the queue is full."""

    def again(self, work: Callable[[], None]) -> None:
        """Queue ``work`` behind all other work. Owner's thread only."""

    @property
    def closed(self) -> bool:
        """Return True if no more work is done."""


class Watcher(Protocol):
    """An observer of this controller; the control plane does not depend on it."""

    def notice(self, notice: Notice) -> None:
        """Show ``notice``; never raises, never waits."""


class Consumer(Protocol):
    """What a controller does with the messages that it receives. Owner's thread only.

    ::

        class Counter:
            def apply(self, tx, message):
                tx.append_event(message.payload, sender=message.sender_id, at=time.time())
    """

    def apply(self, tx: Transaction, message: Envelope) -> None:
        """Apply a durable message in the transaction that records its number; called once for it.

        RefusedError rejects the message; any other exception puts it into quarantine.
        """

    def receive(self, message: Envelope) -> None:
        """Handle a message that is not durable; RefusedError rejects it."""

    def rejected(self, topic: str, why: str) -> None:
        """Handle that what arrived on ``topic`` could not be verified, or was empty."""

    def execute(self, order: Envelope, command: Command) -> None:
        """Carry out an operator's order; RefusedError when it is not for this controller."""

    def resync(self) -> None:
        """Publish the full state: a receiver lost what it had of this controller."""
