"""What the state directory holds: room, locks, leftovers of a killed run, keys."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.client.doctor.finding import Finding
from pdsno_cli.model.errors import PdsnoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.client.doctor.subject import Subject

_FREE = 100_000_000  # bytes
_FREE_SHARE = 0.02
_INODES = 1_000
_SLOW = 0.1  # seconds of a write with fsync


def check_disk(subject: Subject) -> Iterator[Finding]:
    """Look at room and inodes, and time one durable write."""
    folder = _nearest(subject.state.root)
    usage = shutil.disk_usage(folder)
    inodes = os.statvfs(folder)
    free = f"{usage.free / 1e9:.1f} GB free at {folder}"
    if usage.free < _FREE or usage.free < _FREE_SHARE * usage.total:
        yield Finding(
            check="disk", verdict="warn", text=free, hint="free some, or choose --state-dir"
        )
    elif inodes.f_files and inodes.f_favail < _INODES:
        text = f"{inodes.f_favail} inodes left at {folder}"
        yield Finding(check="disk", verdict="warn", text=text, hint="remove small files")
    else:
        yield Finding(check="disk", verdict="ok", text=free)
    try:
        seconds = _durable_write(folder)
    except OSError as exc:
        yield Finding(
            check="disk write",
            verdict="fail",
            text=f"{folder} cannot be written: {exc.strerror}",
            hint="choose another with --state-dir, or set XDG_STATE_HOME",
        )
        return
    text = f"a durable write takes {seconds * 1000:.1f} ms"
    if seconds > _SLOW:
        hint = "every report waits for one: keep state on a local disk"
        yield Finding(check="disk write", verdict="warn", text=text, hint=hint)
    else:
        yield Finding(check="disk write", verdict="ok", text=text)


def _durable_write(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.monotonic()
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())
        return time.monotonic() - began


def _nearest(path: Path) -> Path:
    """Return the path, or the first of its parents that exists."""
    return next(item for item in (path, *path.parents) if item.exists())


def check_owner(subject: Subject) -> Iterator[Finding]:
    """Look for files of other users, which no run takes."""
    from pdsno_cli.runtime.private import require_own, require_own_files

    folders = [folder for folder in subject.state.folders if folder.exists()]
    try:
        for folder in folders:
            require_own(folder, folder.lstat())
            require_own_files(folder)
    except (PdsnoError, OSError) as exc:
        yield Finding(check="owner", verdict="fail", text=str(exc))
    else:
        yield Finding(check="owner", verdict="ok", text="all state is this user's own")


def check_locks(subject: Subject) -> Iterator[Finding]:
    """Say who holds the state directory, and whether it answers."""
    state = subject.state
    alone = state.running_alone()
    if subject.report is not None:
        name = subject.report["topology"]
        yield Finding(check="locks", verdict="ok", text=f"{name} is up here, and answers")
    elif state.is_up:
        holder = (state.root / "lock").read_text(errors="replace").strip() or "unknown"
        yield Finding(
            check="locks",
            verdict="fail",
            text=f"process {holder} holds {state.root} and does not answer",
            hint=f"see pdsno logs, then: kill {holder}" if holder.isdecimal() else None,
        )
    elif alone:
        text = f"{', '.join(alone[:3])} run alone (pdsno controller run)"
        yield Finding(check="locks", verdict="ok", text=text)
    else:
        yield Finding(check="locks", verdict="ok", text="nothing of this topology runs here")


def check_leftovers(subject: Subject) -> Iterator[Finding]:
    """Find what a killed run left behind."""
    state = subject.state
    if not state.root.exists() or subject.report is not None or state.is_up:
        return
    found = []
    if state.control.exists():
        found.append("a control socket that nobody listens on")
    if not state.running_alone() and (stale := [*(state.root / "http").glob("*")]):
        found.append(f"{len(stale)} HTTP addresses of controllers that do not run")
    drafts = [*state.root.glob("key.[0-9]*"), *state.root.glob("run.new")]
    if drafts:
        found.append(f"{len(drafts)} unfinished files")
    if found:
        yield Finding(
            check="leftovers",
            verdict="warn",
            text=f"of a killed run: {', '.join(found)}",
            hint="the next pdsno up replaces them; pdsno down --volumes removes all state",
        )
    else:
        yield Finding(check="leftovers", verdict="ok", text="none of a killed run")


def check_keys(subject: Subject) -> Iterator[Finding]:
    """Read every secret, and look at the modes of the files that hold one."""
    from pdsno_cli.runtime.keys import signing_key
    from pdsno_cli.supervisor.preflight import missing_inputs

    topology, state = subject.topology, subject.state
    missing = missing_inputs(topology)
    for text in missing:
        yield Finding(check="keys", verdict="fail", text=text)
    if topology.signing_key is None and not state.key.exists():
        yield Finding(check="keys", verdict="ok", text="pdsno up makes the signing key")
    else:
        try:
            signing_key(topology, state)
        except PdsnoError as exc:
            if str(exc) not in missing:
                yield Finding(check="keys", verdict="fail", text=str(exc))
        else:
            yield Finding(check="keys", verdict="ok", text="the signing key is readable")
    tls = topology.broker.tls
    for path in filter(None, (tls.key if tls is not None else None,)):
        if Path(path).is_file() and stat.S_IMODE(Path(path).stat().st_mode) & 0o077:
            yield Finding(
                check="keys",
                verdict="warn",
                text=f"{path} can be read by others",
                hint=f"chmod 600 {path}",
            )
