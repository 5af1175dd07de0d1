"""Where a topology keeps its state: stores, key, logs and control socket, private to its user."""

from __future__ import annotations

import fcntl
import glob
import os
import re
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import StateError, UsageError
from pdsno_cli.runtime.private import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBE = 0.1  # seconds that a lock may be held by ``is_up`` of another command, at most
_POLL = 0.05  # seconds between two tries to lock; flock(2) has no time-out


def default_root(topology_name: str) -> Path:
    """Return ``$XDG_STATE_HOME/pdsno/<topology>``; raises UsageError as ``base`` does."""
    return base() / file_name(topology_name)


def base() -> Path:
    """Return ``$XDG_STATE_HOME/pdsno`` (XDG Base Directory Specification).

    UsageError for a user without a home directory, as containers have.
    """
    home = os.environ.get("XDG_STATE_HOME")
    if home and Path(home).is_absolute():
        states = Path(home)
    else:
        try:
            states = Path.home() / ".local" / "state"
        except RuntimeError as exc:
            raise UsageError(
                f"user {os.getuid()} has no home directory to keep state in: "
                "name another with --state-dir, or set XDG_STATE_HOME"
            ) from exc
    return states / "pdsno"


def file_name(text: str) -> str:
    """Return ``text`` as a file name: what a file name cannot hold is escaped as ``%XX``."""
    return re.sub(
        r"[^A-Za-z0-9._-]|^\.", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), text
    )


@dataclass(frozen=True, slots=True)
class StateDir:
    """The folder of one topology's state."""

    root: Path

    @property
    def control(self) -> Path:
        """The socket on which the running topology answers."""
        return self.root / "control.sock"

    @property
    def run_record(self) -> Path:
        """The record of the latest run: see ``run_record``."""
        return self.root / "run.json"

    @property
    def key(self) -> Path:
        """The signing key."""
        return self.root / "key"

    def store(self, controller_id: str) -> Path:
        """Return the store of a controller."""
        return self.root / "stores" / f"{file_name(controller_id)}.db"

    def http(self, controller_id: str) -> Path:
        """Return the file with the address at which a controller serves HTTP, as ``host:port``."""
        return self.root / "http" / file_name(controller_id)

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.root / "logs"

    def log(self, name: str) -> Path:
        """Return the log of a controller, the broker, the lab or the supervisor."""
        return self.logs / f"{file_name(name)}.log"

    def forget(self, controller_id: str) -> None:
        """Remove what is kept of a controller that is gone: store, lock, HTTP address and logs."""
        store, log = self.store(controller_id), self.log(controller_id)
        for path in (
            *(store.with_name(store.name + tail) for tail in ("", "-wal", "-shm", "-journal")),
            store.with_suffix(".lock"),
            self.http(controller_id),
            log,
            *log.parent.glob(f"{glob.escape(log.name)}.[0-9]*"),
        ):
            with suppress(FileNotFoundError):
                path.unlink()

    def open_log(self, name: str) -> int:
        """Open a log to append to, for its user alone; StateError when that cannot be.

        One that has grown long is put aside first.
        """
        from pdsno_cli.runtime.logs import FILE_LIMIT, open_file, rotate

        path = self.log(name)
        try:
            if path.exists() and path.stat().st_size > FILE_LIMIT:
                rotate(path)
            return open_file(path)
        except OSError as exc:
            raise StateError(f"{path} cannot be written: {exc.strerror}") from exc

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder itself, and those in it."""
        return self.root, self.root / "stores", self.logs, self.root / "http"

    def make(self) -> None:
        """Make the folders, mode 0700, or tighten them; StateError when that cannot be.

        The same when one of them, or a file in them, is another user's or a symbolic link.
        """
        try:
            for folder in self.folders:
                make_private(folder)
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as exc:
            raise StateError(
                f"the state directory {self.root} cannot be used: {exc.strerror}; "
                "choose another with --state-dir"
            ) from exc

    @property
    def in_use(self) -> bool:
        """Whether the topology, or one of its controllers alone, runs on this machine."""
        return self.is_up or bool(self.running_alone())

    @property
    def is_up(self) -> bool:
        """Whether the topology runs on this machine."""
        return _is_locked(self.root / "lock")

    def running_alone(self) -> list[str]:
        """Return the file names of the stores that a process has locked."""
        return [path.stem for path in sorted(self.root.glob("stores/*.lock")) if _is_locked(path)]

    def last_written(self) -> float:
        """Return when a store was last written to, in Unix seconds; 0 where there is none."""
        times = [path.stat().st_mtime for path in self.root.glob("stores/*.db*")]
        return max(times, default=0.0)

    @contextmanager
    def lock(self, controller_id: str | None = None, *, patience: float = 0.0) -> Iterator[None]:
        """Hold the topology, or one controller's store, for this process.

        StateError, naming the holder, when another process still has it after ``patience`` seconds.
        """
        if controller_id is None:
            path, what = self.root / "lock", "this topology is already up"
            patience = max(patience, _PROBE)
            remedy = "end it with pdsno down, or run another beside it with --state-dir"
        else:
            path, what = self.store(controller_id).with_suffix(".lock"), "already running"
            remedy = "one process may run a controller"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as exc:
            raise StateError(f"{path} cannot be written: {exc.strerror}") from exc
        try:
            if not _locked(handle, patience):
                holder = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
                raise StateError(f"{what} (process {holder}, state in {self.root}); {remedy}")
            _write_holder(handle, path)
            yield
        finally:
            os.close(handle)
            # The file stays: removing it would let two processes lock two files of one name.


def _is_locked(path: Path) -> bool:
    """Return True if a process holds the lock; nothing is changed by asking."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _locked(handle: int, patience: float) -> bool:
    """Lock a file; return False when another process has it all the time."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True


def _write_holder(handle: int, path: Path) -> None:
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
    except OSError as exc:
        raise StateError(f"{path} cannot be written: {exc.strerror}") from exc


def last_lines(path: Path, count: int = 5, *, after: int = 0) -> list[str]:
    """Return the last lines of a log, fewer where there are fewer; none before byte ``after``."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(log.tell() - 8192, after))
            return log.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
