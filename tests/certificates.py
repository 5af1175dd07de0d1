"""Certificates for tests, made by openssl: two authorities, a server's and a client's."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .conftest import require

_AUTHORITY = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")  # Python 3.13 asks for it


def make_certificates(folder: Path) -> None:
    """Write ``ca``, ``other``, ``server`` (for localhost) and ``client``, each .pem and .key."""
    openssl = require("openssl")

    def run(*arguments: object) -> None:
        subprocess.run([openssl, *map(str, arguments)], check=True, capture_output=True)

    for authority in ("ca", "other"):
        run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj",
            f"/CN=test {authority}", *_AUTHORITY, "-keyout", folder / f"{authority}.key",
            "-out", folder / f"{authority}.pem")  # fmt: skip
    for name, extension in (("server", "subjectAltName=DNS:localhost"), ("client", "")):
        (folder / "ext").write_text(extension + "\n")
        run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
            folder / f"{name}.key", "-out", folder / f"{name}.csr")  # fmt: skip
        run("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey",
            folder / "ca.key", "-CAcreateserial", "-days", 2, "-extfile", folder / "ext",
            "-out", folder / f"{name}.pem")  # fmt: skip
