"""The record of a topology's latest run: ``run.json`` in its state directory, mode 0600.

It is written by the process that holds the directory's lock: at the start, when another file is
applied, and at the end of a run that stopped in order. A record without ``ended_at`` whose lock is
free is of a killed run, and tells what that had not yet removed.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from pdsno_cli.model.errors import StateError
from pdsno_cli.runtime.state_index import register
from pdsno_cli.spec.resolved import controller_hashes, normal, plane_hash, resolve_secrets
from pdsno_cli.system.process_start import process_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.resolved import Resolved
    from pdsno_cli.spec.topology import Topology

FORMAT_VERSION = 1


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run; times are Unix seconds, ``file`` is absolute, ``-`` for a topology from stdin.

    ``hash`` is that of the resolved topology (``spec.resolved.plane_hash``), ``controllers`` has the
    hash of each controller, ``removing`` the ids of controllers whose state is being removed; the
    digests of secrets in these hashes are made with ``salt``. ``pid`` and ``pid_started`` name the
    supervisor, since process ids are reused.
    """

    format_version: int = FORMAT_VERSION
    topology: str
    file: str
    salt: str
    hash: str
    controllers: dict[str, str]
    removing: tuple[str, ...] = ()
    started_at: float
    pid: int
    pid_started: str | None = None
    in_process: bool = False
    ended_at: float | None = None


def new_record(resolved: Resolved, salt: bytes, *, in_process: bool) -> RunRecord:
    """Return the record of a run that this process starts now."""
    topology = resolved.topology
    return RunRecord(
        topology=topology.name,
        file=topology.path,
        salt=salt.hex(),
        hash=plane_hash(resolved),
        controllers=controller_hashes(resolved),
        started_at=time.time(),
        pid=os.getpid(),
        pid_started=process_started(os.getpid()),
        in_process=in_process,
    )


def applied(record: RunRecord, resolved: Resolved, *, removing: tuple[str, ...] = ()) -> RunRecord:
    """Return the record of the same run with another topology."""
    return msgspec.structs.replace(
        record,
        topology=resolved.topology.name,
        file=resolved.topology.path,
        hash=plane_hash(resolved),
        controllers=controller_hashes(resolved),
        removing=removing,
    )


def differs(record: RunRecord, topology: Topology) -> bool:
    """Return True if a topology is not what a record says, with the secrets of this environment."""
    resolved = resolve_secrets(normal(topology), bytes.fromhex(record.salt))
    return plane_hash(resolved) != record.hash


def read_record(state: StateDir) -> RunRecord | None:
    """Return the record of the latest run; None if there is none that can be read."""
    try:
        return msgspec.json.decode(state.run_record.read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def write_record(state: StateDir, record: RunRecord) -> None:
    """Replace the record, mode 0600, by all of the new one or nothing; StateError if it cannot be."""
    path = state.run_record
    draft = path.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as exc:
        with suppress(OSError):
            draft.unlink()
        raise StateError(f"{path} cannot be written: {exc.strerror}") from exc


@contextmanager
def recorded(state: StateDir) -> Iterator[None]:
    """Have a run found by others, and its end recorded; the caller holds the lock of ``state``.

    The run itself writes what it runs.
    """
    register(state)
    try:
        yield
    finally:
        record = read_record(state)
        if record is not None and record.pid == os.getpid():
            # A full disk ends a run, too.
            with suppress(StateError):
                write_record(state, msgspec.structs.replace(record, ended_at=time.time()))
