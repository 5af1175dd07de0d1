"""The entry point ``pdsno``."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line."""
    gc.disable()  # imports allocate much and leave no garbage
    from pdsno_cli.cli.app import run

    gc.freeze()  # so that nothing looks through them, not even the end of Python
    gc.enable()
    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # ``python -m`` puts the working directory first, where a ``queue.py`` is the user's.
        del sys.path[0]
    main()
