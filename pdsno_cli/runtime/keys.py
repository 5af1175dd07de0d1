"""The key that signs every message of a topology: given in the file, or made at first start."""

from __future__ import annotations

import os
import secrets as entropy
from typing import TYPE_CHECKING

from pdsno_cli.messaging.signing import MIN_KEY_BYTES
from pdsno_cli.model.errors import StateError
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
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
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = bytes.fromhex(path.read_text().strip())
        else:
            key = entropy.token_bytes(_SIZE)
            with os.fdopen(handle, "w") as file:
                file.write(key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
    except (OSError, ValueError) as exc:
        raise StateError(f"the signing key {path} cannot be used: {exc}") from exc
    if len(key) != _SIZE:
        raise StateError(f"the signing key {path} is damaged: remove it, and a new one is made")
    return key
