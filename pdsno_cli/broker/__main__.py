"""The embedded broker's process: ``python -m pdsno_cli.broker PARENT MAX_PAYLOAD PORT_311 PORT_5``.

It serves until it is killed, listens on loopback only, and ends with its parent. A port 0 is not
served. It is started by ``embedded.EmbeddedBroker`` and by nobody else.
"""

from __future__ import annotations

import resource
import signal
import sys
import tempfile

from pdsno_cli.broker import warnings
from pdsno_cli.broker.config import Settings, toml
from pdsno_cli.system import parent_death


def main() -> None:
    """Serve until killed; the process ends with a line on stderr when it cannot."""
    parent, max_payload, port_311, port_5 = map(int, sys.argv[1:])
    parent_death.hold(parent, signal.SIGKILL)
    warnings.to_stderr()
    _allow_many_files()
    settings = Settings(max_payload=max_payload, port_311=port_311 or None, port_5=port_5 or None)

    from iotcore.iotcore import IotCoreBroker

    with tempfile.NamedTemporaryFile("w", prefix="pdsno-", suffix=".toml") as file:
        file.write(toml(settings))
        file.flush()
        broker = IotCoreBroker(config_path=file.name)  # reads the file at once
    broker.run_forever()


def _allow_many_files() -> None:
    """Raise the limit on open files: every client is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(65_536, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
