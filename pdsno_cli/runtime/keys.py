"""The key that signs every message of a topology: given in the file, or made at first start."""

from __future__ import annotations

import contextlib
import os
import re
import secrets as entropy
from typing import TYPE_CHECKING

from pdsno_cli.messaging.signing import MIN_KEY_BYTES
from pdsno_cli.model.errors import StateError
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
    from pathlib import Path

    from pdsno_cli.runtime.state_dir import StateDir
    from pdsno_cli.spec.topology import Topology

_SIZE = 32  # bytes, the block that HMAC-SHA256 gains nothing beyond (RFC 2104 section 3)


def signing_key(topology: Topology, state: StateDir) -> bytes:
    """Return the topology's key; makes one, mode 0600, where the file declares none.

    OperationError when the declared key is missing, StateError when the made one is unusable.
    """
    if topology.signing_key is not None:
        declared = secrets.resolve(topology.signing_key, base=topology.folder).encode()
        if len(declared) < MIN_KEY_BYTES:
            raise StateError(
                f"the signing key of {topology.path} has {len(declared)} bytes: "
                f"use at least {MIN_KEY_BYTES}"
            )
        return declared
    path = state.key
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise StateError(f"the signing key {path} can be read by others: chmod 600 it")
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise StateError(f"the signing key {path} cannot be used: {exc}") from exc
    if re.fullmatch(rf"[0-9a-f]{{{2 * _SIZE}}}", text) is None:
        raise StateError(f"the signing key {path} is damaged: remove it, and a new one is made")
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Write a new key: all of it or, killed in between, nothing under its name."""
    draft = path.with_suffix(f".{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(entropy.token_hex(_SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Whoever comes first wins: a key that another process made meanwhile stays.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
