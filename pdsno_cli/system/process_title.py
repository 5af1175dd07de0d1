"""The title of this process in ps(1) and top(1)."""

from __future__ import annotations

import os
from contextlib import suppress

_KEEP_ENVIRONMENT = "SPT_NOENV"  # of setproctitle: do not take the place of /proc/PID/environ


def set_process_title(topology_name: str, part: str) -> None:
    """Title this process ``pdsno TOPOLOGY PART``; the part is a controller's id, or what it is.

    The title has the length of the command line at most. Without the library, which has to be
    compiled where there is no wheel, the title stays as it is: no run must fail for it.
    """
    with suppress(ImportError):
        before = os.environ.get(_KEEP_ENVIRONMENT)
        os.environ[_KEEP_ENVIRONMENT] = "1"
        import setproctitle

        setproctitle.setproctitle(f"pdsno {topology_name} {part}")
        if before is None:
            del os.environ[_KEEP_ENVIRONMENT]
