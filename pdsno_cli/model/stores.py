"""The registry of stores: the schemes of the URLs that ``nib`` takes in a topology file.

Facts only, so that every layer can use them. The code is in ``nib/``, imported when it is used.
``docs/stores.md`` explains how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """One kind of database. ``module`` holds its ``DATABASE`` (``nib.database.DatabaseFactory``).

    ``example`` is a URL; ``install`` is the command that installs the driver.
    """

    scheme: str
    module: str
    example: str
    install: str = "pip install pdsno"


STORES = (
    StoreFacts(
        scheme="postgresql+psycopg",
        module="pdsno_cli.nib.postgresql",
        example="postgresql+psycopg://pdsno:${PDSNO_DB_PASSWORD}@db.example.net/pdsno",
        install="pip install 'pdsno[postgresql]'",
    ),
)

FACTS = {facts.scheme: facts for facts in STORES}
