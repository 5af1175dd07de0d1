"""Network namespaces of a test's own, and an SNMP agent made of a plain socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import require, require_root
from tests.discovery import far_end, far_end6

FAR_END, FAR_END6 = far_end.__file__, far_end6.__file__


@pytest.fixture
def in_namespace():
    """Return a function that runs code in a new network namespace and returns the JSON it prints.

    The namespace lives as long as its process: nothing can be left behind. ``peer`` is shell that
    runs in a second namespace, at the far end of the veth pair near0 - far0. The code runs
    without the capabilities named in ``without`` (``net_raw,net_admin``). ``hosts`` are the
    settings of a ``FarEnd``, whose hosts answer at far0, or "agents" for SNMP at all addresses there.
    """
    require_root()
    unshare, nsenter, ip = require("unshare"), require("nsenter"), require("ip")

    setpriv = require("setpriv")

    def run(code: str, *, near: str = "", peer: str = "", without: str = "", hosts=None):
        if hosts is not None:
            argument = hosts if isinstance(hosts, str) else json.dumps({"device": "far0"} | hosts)
            far = FAR_END6 if '"first": "fd' in argument else FAR_END
            near += (
                f"; far=$({nsenter} -t $holder -n '{sys.executable}' {far} '{argument}')"
                "; trap 'kill $holder $far' EXIT"
            )
        dropped = ",".join(f"-{name}" for name in without.split(",") if name)
        drop = f"{setpriv} --bounding-set={dropped} --inh-caps={dropped}" if dropped else ""
        script = f"""
            set -e
            export PATH="$PATH:/usr/sbin:/sbin"
            {ip} link set lo up
            {ip} link add near0 type veth peer name far0
            {unshare} -n sleep 60 >/dev/null 2>&1 &
            holder=$!
            trap 'kill $holder' EXIT
            while [ "$(readlink /proc/$holder/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do
                sleep 0.02
            done
            {ip} link set far0 netns $holder
            {ip} link set near0 up
            {nsenter} -t $holder -n sh -ec '{ip} link set lo up; {ip} link set far0 up; {peer}'
            {near}
            # The kernel activates a link some time after it is up, and drops frames until then.
            until {ip} -br link show near0 | grep -q 'near0@.* UP '; do sleep 0.02; done
            {drop} "$0" -W error -c "$1"
        """
        done = subprocess.run(
            [unshare, "-n", "sh", "-c", script, sys.executable, code],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@contextmanager
def responder(
    address: str, answer: Callable[[bytes], bytes | None], port: int = 0
) -> Iterator[int]:
    """Answer at an address, on a port of its own unless one is given, with a function's bytes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        sock.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    data, peer = sock.recvfrom(65535)
                except TimeoutError:
                    continue
                reply = answer(data)
                if reply is not None:
                    sock.sendto(reply, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def agent():
    """Return a context manager: a responder at an address that answers with a function's bytes."""
    return responder
