"""The record of a topology's latest run: ``run.json`` in its state directory, mode 0600.

It is written by the process that holds the directory's lock, once at the start and once at the end
of a run that stopped in order: a record without ``ended_at`` whose lock is free is of a killed run.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.errors import StateError
from pdsno_cli.runtime.state_index import register
from pdsno_cli.system.process_start import process_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run; times are Unix seconds, ``file`` is absolute, ``-`` for a topology from stdin.

    ``pid`` and ``pid_started`` name the supervisor; ``hash`` is that of the resolved topology.
    """

    format_version: int = FORMAT_VERSION
    topology: str
    file: str
    started_at: float
    pid: int
    pid_started: str | None = None
    hash: str
    in_process: bool = False
    ended_at: float | None = None


def topology_hash(topology: Topology) -> str:
    """Return the SHA-256 of a resolved topology, the same wherever its file is."""
    data = msgspec.json.encode(
        replace(topology, path=""),
        order="deterministic",
        enc_hook=dict,  # mappings other than dict
    )
    return hashlib.sha256(data).hexdigest()


def read_record(state: StateDir) -> RunRecord | None:
    """Return the record of the latest run; None if there is none that can be read."""
    try:
        return msgspec.json.decode(state.run_record.read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def write_record(state: StateDir, record: RunRecord) -> None:
    """Replace the record in one step; raises StateError when that is impossible."""
    path = state.run_record
    draft = path.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        draft.replace(path)
    except OSError as exc:
        raise StateError(f"{path} cannot be written: {exc.strerror}") from exc


@contextmanager
def recorded(topology: Topology, state: StateDir, *, in_process: bool) -> Iterator[None]:
    """Record a run for as long as the context lasts; the caller holds the lock of ``state``."""
    from pdsno_cli.spec.load import STDIN

    file = topology.path if topology.path == STDIN else str(Path(topology.path).absolute())
    record = RunRecord(
        topology=topology.name,
        file=file,
        started_at=time.time(),
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
        hash=topology_hash(topology),
        in_process=in_process,
    )
    write_record(state, record)
    register(state)
    try:
        yield
    finally:
        # The latest one: it may have been replaced during the run. A full disk ends a run, too.
        with suppress(StateError):
            write_record(state, replace_end(read_record(state) or record))


def replace_end(record: RunRecord) -> RunRecord:
    """Return the record of a run that ends now."""
    return msgspec.structs.replace(record, ended_at=time.time())
