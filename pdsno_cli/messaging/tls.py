"""The TLS side of a connection, as the topology declares it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError
from pdsno_cli.spec.files import read_file

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Tls


def context(tls: Tls) -> ssl.SSLContext:
    """Return what verifies the broker and shows our certificate; BrokerError for bad files."""
    for key, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        try:
            if path is not None:
                read_file(Path(path), 1)  # OpenSSL would wait for ever at a FIFO
        except OSError as exc:
            raise BrokerError(f"tls.{key} {path}: {_why(exc)}") from exc
    try:
        made = ssl.create_default_context(cafile=tls.ca)
    except (OSError, ssl.SSLError) as exc:
        raise BrokerError(f"tls.ca {tls.ca}: {_why(exc)}") from exc
    if tls.cert is not None:
        try:
            made.load_cert_chain(tls.cert, tls.key)
        except (OSError, ssl.SSLError) as exc:
            files = tls.cert if tls.key is None else f"{tls.cert} and tls.key {tls.key}"
            raise BrokerError(f"tls.cert {files}: {_why(exc)}") from exc
    return made


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "no PEM file with what is needed, or certificate and key do not fit"
    return error.strerror or str(error)
