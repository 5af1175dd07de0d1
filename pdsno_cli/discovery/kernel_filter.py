"""Attaches a classic BPF program to a socket, so that the kernel drops what a probe does not want."""

from __future__ import annotations

import socket
import struct
from array import array
from collections.abc import Sequence

_SO_ATTACH_FILTER = 26  # Linux, socket(7); no constant in the library before 3.14

# code, jump if true, jump if false, value (linux/filter.h)
Step = tuple[int, int, int, int]


def attach(sock: socket.socket, program: Sequence[Step]) -> None:
    """Let the kernel drop the packets for which ``program`` returns 0; OSError if it refuses."""
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    kept = array("B", code)  # the kernel copies it from there
    address, _ = kept.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), address))
