"""Keeps a TCP port free for a server that is about to start."""

from __future__ import annotations

import socket
import sys
from typing import Self

_SHARED = sys.platform == "linux"  # elsewhere a bound port is refused to everybody


class ReservedPort:
    """Keeps ``port`` of ``host`` until it is closed; OSError if it is in use.

    On Linux a server that sets SO_REUSEADDR, as most do, can listen on it meanwhile, and nobody is
    given it as a free port or as the port of a connection: see SO_REUSEADDR in socket(7). Elsewhere
    it is only found free.
    """

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
        except OSError:
            self.close()
            raise
        if not _SHARED:
            self.close()

    def close(self) -> None:
        """Give the port back, which a server that listens keeps."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
