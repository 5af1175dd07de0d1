"""Checks what a start would need here, and starts nothing: secrets, and files of TLS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import OperationError
from pdsno_cli.spec import secrets
from pdsno_cli.spec.resolved import secret_texts

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Topology


def missing_inputs(topology: Topology) -> list[str]:
    """Return one sentence for each secret or file that a start would not find on this machine."""
    found: dict[str, None] = {}
    for text, is_url in dict.fromkeys(secret_texts(topology)):
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
