"""The exceptions of pdsno: one root, each with the exit code that the command line returns.

PdsnoError                  3  an internal failure
├── UsageError              2  a file that cannot be read, a name that does not exist
├── InvalidTopologyError    1  a topology, or a policy for one, with findings; carries them
└── OperationError          1  the machine, the network or a peer failed
    ├── BrokerError            port in use, credentials refused
    │   └── UnreachableError     no answer; it may pass
    ├── StateError             state directory not writable, topology already up
    ├── DiskError              disk full or failing: it may pass
    ├── StoreUnavailableError  the database of a store does not answer: it may pass
    └── LabError               a lab that cannot be laid out on this machine

A mistake in a topology is not an exception but a value: see ``diagnostics``. An exception's
message is one line that names the subject and the remedy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pdsno_cli.model.diagnostics import Diagnostic


class PdsnoError(Exception):
    """Root of all exceptions that pdsno raises on purpose."""

    exit_code = 3


class UsageError(PdsnoError):
    """The caller named something that cannot be read or does not exist."""

    exit_code = 2


class InvalidTopologyError(PdsnoError):
    """A file has findings of severity error, so nothing was started or ordered."""

    exit_code = 1

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(f"{len(diagnostics)} findings")
        self.diagnostics = tuple(diagnostics)


class OperationError(PdsnoError):
    """The machine, the network or a peer failed."""

    exit_code = 1


class BrokerError(OperationError):
    """The broker cannot be started, reached or logged in to."""


class UnreachableError(BrokerError):
    """The broker does not answer; another transport may work."""


class StateError(OperationError):
    """The state directory cannot be used."""


class DiskError(OperationError):
    """The disk is full or fails; uncommitted work is not lost, and a retry may succeed."""


class StoreUnavailableError(OperationError):
    """The database server of a store cannot be used now; trying again may do.

    What was not committed is not lost.
    """


class LabError(OperationError):
    """The lab of a topology cannot be laid out on this machine."""
