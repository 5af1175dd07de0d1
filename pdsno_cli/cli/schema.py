"""``pdsno schema``: prints the JSON Schema of topologies, or of a message kind."""

from __future__ import annotations

from typing import Annotated

import typer

from pdsno_cli.cli import console
from pdsno_cli.cli.completion import values


def _kinds() -> tuple[str, ...]:
    from pdsno_cli.model.topics import MESSAGE_TYPES

    return ("envelope", *MESSAGE_TYPES)


def schema(
    message: Annotated[
        str | None,
        typer.Option(
            "--message",
            metavar="KIND",
            autocompletion=values(_kinds),
            help="A message kind, or envelope.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of topology files or of a message kind.

    It is draft-07, for editors and other validators, and allows a reference such as ${MQTT_PORT:-1883} wherever a scalar stands.
    """
    from pdsno_cli.model.errors import UsageError
    from pdsno_cli.model.names import suggest
    from pdsno_cli.model.schemas import schema_path

    kinds = _kinds()
    if message is not None and message not in kinds:
        raise UsageError(f"unknown message kind {message!r}: {suggest(message, kinds)}")
    console.data(schema_path(message or "topology").read_text("utf-8"))
