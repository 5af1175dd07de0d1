"""Builds the TLS context of a connection from the topology."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from pdsno_cli.model.errors import BrokerError
from pdsno_cli.spec.files import read_file

if TYPE_CHECKING:
    from pdsno_cli.spec.topology import Tls


def context(tls: Tls) -> ssl.SSLContext:
    """Return a context that verifies the broker, with the client certificate.

    BrokerError if a file is unreadable or invalid.
    """
    for key, path in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        try:
            if path is not None:
                read_file(Path(path), 1)  # OpenSSL would block for ever on a FIFO
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
        return "not a PEM file of this kind, or certificate and key do not match"
    return error.strerror or str(error)
