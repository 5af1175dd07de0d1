"""The entry point ``pdsno``."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from pdsno_cli.cli.app import run

    run()


if __name__ == "__main__":
    main()
