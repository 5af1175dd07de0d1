"""The embedded broker's process: ``-m pdsno_cli.broker PARENT MAX_PAYLOAD PORT_311 PORT_5 FILES ROOT NAME``.

It serves until it is killed, listens on loopback only, and ends with its parent. Only
``embedded.EmbeddedBroker`` starts it.
"""

from __future__ import annotations

import resource
import signal
import sys
import tempfile

from pdsno_cli.broker import warnings
from pdsno_cli.broker.config import Settings, toml
from pdsno_cli.system import parent_death
from pdsno_cli.system.process_title import set_process_title


def main() -> None:
    """Serve until killed; on failure the process ends with a line on stderr."""
    *numbers, root, name = sys.argv[1:]
    parent, max_payload, port_311, port_5, files = map(int, numbers)
    parent_death.exit_with_parent(parent, signal.SIGKILL)
    set_process_title(name, "broker")
    warnings.to_stderr()
    settings = Settings(
        max_payload=max_payload,
        files=_allow_files(files),
        root=root,
        port_311=port_311,
        port_5=port_5,
    )

    from iotcore.iotcore import IotCoreBroker

    with tempfile.NamedTemporaryFile("w", prefix="pdsno-", suffix=".toml") as file:
        file.write(toml(settings))
        file.flush()
        broker = IotCoreBroker(config_path=file.name)  # reads the file immediately
    broker.run_forever()


def _allow_files(wanted: int) -> int:
    """Set the limit of open files, of which each client needs one; return the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


if __name__ == "__main__":
    main()
