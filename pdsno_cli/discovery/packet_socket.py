"""Opens a socket for the frames of one interface (packet(7), Linux)."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable, Sequence

from pdsno_cli.discovery.kernel_filter import Step, attach
from pdsno_cli.discovery.probe import PrivilegeError, ProbeUnavailableError
from pdsno_cli.discovery.sockets import enlarge_buffers

_SOL_PACKET, _ADD_MEMBERSHIP, _MULTICAST = 263, 1, 0


def open_packet_socket(
    protocol: str,
    interface: str,
    ethertype: int,
    program: Sequence[Step],
    *,
    groups: Iterable[bytes] = (),
) -> socket.socket:
    """Return a non-blocking socket that receives the frames that ``program`` keeps.

    ``groups`` are multicast MACs to receive. Raises ProbeUnavailableError for the probe ``protocol``.
    """
    if sys.platform != "linux":
        raise ProbeUnavailableError(f"{protocol} is for Linux only")
    try:
        # Protocol 0 receives nothing: the filter is in place before the first frame.
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as exc:
        raise PrivilegeError(protocol) from exc
    except OSError as exc:
        raise ProbeUnavailableError(f"cannot use {interface}: {exc.strerror}") from exc
    try:
        attach(sock, program)
        index = socket.if_nametoindex(interface)
        for group in groups:
            wanted = struct.pack("=iHH8s", index, _MULTICAST, len(group), group)
            sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, wanted)
        enlarge_buffers(sock)
        sock.setblocking(False)
        sock.bind((interface, ethertype))
    except OSError as exc:
        sock.close()
        raise ProbeUnavailableError(f"cannot use {interface}: {exc.strerror}") from exc
    return sock
