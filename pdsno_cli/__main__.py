"""The entry point ``pdsno``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from pdsno_cli.cli.app import run

    run()


if __name__ == "__main__":
    if not sys.flags.safe_path:
        # ``python -m`` puts the working directory first, where a ``queue.py`` is the user's.
        del sys.path[0]
    main()
