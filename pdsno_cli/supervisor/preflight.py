"""Checks what a start would need here, and starts nothing: secrets, and files of TLS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec import secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pdsno_cli.spec.topology import Topology


def missing_inputs(topology: Topology) -> list[str]:
    """Return one sentence for each secret or file that a start would not find on this machine."""
    found: dict[str, None] = {}
    for text, is_url in dict.fromkeys(_secrets(topology)):
        read = secrets.resolve_url if is_url else secrets.resolve
        try:
            read(text, base=topology.folder)
        except OperationError as exc:
            found[str(exc)] = None
    tls = topology.broker.tls
    for name in ("ca", "cert", "key") if tls is not None else ():
        path = getattr(tls, name)
        if path is not None and not Path(path).is_file():
            found[f"broker.tls.{name}: there is no file {path}"] = None
    return list(found)


def _secrets(topology: Topology) -> Iterator[tuple[str, bool]]:
    """Yield each text that refers to a secret, and whether it is a URL."""
    broker = topology.broker
    for text in (topology.signing_key, broker.username, broker.password):
        if text is not None:
            yield text, False
    for controller in topology.controllers.values():
        if controller.nib is not None:
            yield controller.nib, True
        yield controller.discovery.snmp.community, False
