"""The tables of a store, and the statements that create and upgrade them."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

VERSION = 8

METADATA = sa.MetaData()

# SQLite's integers have 64 bits, and its texts are ordered by their bytes, everywhere else as well.
_INTEGER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

META = sa.Table(
    "meta",
    METADATA,
    sa.Column("key", _TEXT, primary_key=True),
    sa.Column("value", _INTEGER, nullable=False),
)

# One row for each device that a local controller has ever found. `addresses` and `protocols` are
# JSON arrays, `extra` is a JSON object or NULL; `memory` is the state between cycles that its local
# controller keeps, as JSON, and NULL elsewhere. `version` rises with every change. Times are Unix
# seconds.
DEVICES = sa.Table(
    "devices",
    METADATA,
    sa.Column("local_id", _TEXT, primary_key=True),
    sa.Column("device_id", _TEXT, primary_key=True),
    sa.Column("region", _TEXT, nullable=False),
    sa.Column("addresses", _TEXT, nullable=False),
    sa.Column("protocols", _TEXT, nullable=False),
    sa.Column("mac", _TEXT),
    sa.Column("sys_name", _TEXT),
    sa.Column("sys_descr", _TEXT),
    sa.Column("sys_object_id", _TEXT),
    sa.Column("uptime", sa.Float),
    sa.Column("version", _INTEGER, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("first_seen", sa.Float, nullable=False),
    sa.Column("last_seen", sa.Float, nullable=False),
    sa.Column("memory", _TEXT),
    sa.Column("extra", _TEXT),
)

# The last detail of each device, as JSON. A `brief` one has no interfaces, though the device may.
DETAILS = sa.Table(
    "details",
    METADATA,
    sa.Column("local_id", _TEXT, primary_key=True),
    sa.Column("device_id", _TEXT, primary_key=True),
    sa.Column("digest", _TEXT, nullable=False),
    sa.Column("brief", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("document", _TEXT, nullable=False),
)

# What changed of each device and when; `fields` is a JSON object with the values before and after.
HISTORY = sa.Table(
    "history",
    METADATA,
    sa.Column("local_id", _TEXT, primary_key=True),
    sa.Column("device_id", _TEXT, primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("kind", _TEXT, nullable=False),
    sa.Column("fields", _TEXT, nullable=False),
)

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("id", _INTEGER, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("sender", _TEXT, nullable=False),
    sa.Column("event", _TEXT, nullable=False),
    sa.Column("severity", _TEXT, nullable=False),
    sa.Column("subject", _TEXT, nullable=False),
    sa.Column("region", _TEXT),
    sa.Column("detail", _TEXT, nullable=False),
)

# The policies in force. `instead_of` is the topology file's policy, as JSON, where an operator
# replaced it; NULL where the file's own is in force.
POLICIES = sa.Table(
    "policies",
    METADATA,
    sa.Column("scope", _TEXT, primary_key=True),
    sa.Column("version", _INTEGER, nullable=False),
    sa.Column("document", _TEXT, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("instead_of", _TEXT),
)

# The policies that controllers announced as applied: the last version of each scope.
APPLIED = sa.Table(
    "applied",
    METADATA,
    sa.Column("controller_id", _TEXT, primary_key=True),
    sa.Column("scope", _TEXT, primary_key=True),
    sa.Column("version", _INTEGER, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)

CONTROLLERS = sa.Table(
    "controllers",
    METADATA,
    sa.Column("controller_id", _TEXT, primary_key=True),
    sa.Column("role", _TEXT, nullable=False),
    sa.Column("region", _TEXT),
    sa.Column("state", _TEXT, nullable=False),
    sa.Column("epoch", _INTEGER, nullable=False),
    sa.Column("connection", _INTEGER, nullable=False),
    sa.Column("seq", _INTEGER, nullable=False, server_default="0"),
    sa.Column("changed_at", sa.Float, nullable=False),
)

CYCLES = sa.Table(
    "cycles",
    METADATA,
    sa.Column("local_id", _TEXT, primary_key=True),
    sa.Column("region", _TEXT, nullable=False),
    sa.Column("epoch", _INTEGER, nullable=False),
    sa.Column("cycle", _INTEGER, nullable=False),
    sa.Column("active", _INTEGER, nullable=False),
    sa.Column("committed_at", sa.Float, nullable=False),
    # When all active devices of the local were seen, except those in `silent`, a JSON array.
    sa.Column("seen_at", sa.Float),
    sa.Column("silent", _TEXT),
)

# The counters of received streams: of the numbers 1 to `seq` of an epoch, how many were applied,
# quarantined, or skipped because their sender no longer has them.
RECEIVED = sa.Table(
    "received",
    METADATA,
    sa.Column("sender", _TEXT, primary_key=True),
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, primary_key=True),
    sa.Column("seq", _INTEGER, nullable=False),
    sa.Column("applied", _INTEGER, nullable=False),
    sa.Column("quarantined", _INTEGER, nullable=False),
    sa.Column("skipped", _INTEGER, nullable=False),
    sqlite_with_rowid=False,
)

# Fragments of large messages: committed, but applied only when the last one arrives.
HELD = sa.Table(
    "held",
    METADATA,
    sa.Column("sender", _TEXT, primary_key=True),
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, primary_key=True),
    sa.Column("seq", _INTEGER, primary_key=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Signed messages that could not be applied: the exact bytes, and why.
QUARANTINE = sa.Table(
    "quarantine",
    METADATA,
    sa.Column("id", _INTEGER, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("sender", _TEXT, nullable=False),
    sa.Column("stream", _TEXT, nullable=False),
    sa.Column("epoch", _INTEGER, nullable=False),
    sa.Column("seq", _INTEGER, nullable=False),
    sa.Column("topic", _TEXT, nullable=False),
    sa.Column("reason", _TEXT, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

# The messages that their receiver has not acknowledged: the exact bytes, in order.
OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, primary_key=True),
    sa.Column("seq", _INTEGER, primary_key=True),
    sa.Column("topic", _TEXT, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("qos", _INTEGER, nullable=False),
    sa.Column("retain", sa.Boolean, nullable=False),
    sa.Column("kept_at", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)

# The last number assigned in each epoch of each stream of our own.
ISSUED = sa.Table(
    "issued",
    METADATA,
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, primary_key=True),
    sa.Column("seq", _INTEGER, nullable=False),
    sqlite_with_rowid=False,
)

# The numbers, from `first` to `last`, of messages that a newer one replaced.
COALESCED = sa.Table(
    "coalesced",
    METADATA,
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, primary_key=True),
    sa.Column("first", _INTEGER, primary_key=True),
    sa.Column("last", _INTEGER, nullable=False),
    sqlite_with_rowid=False,
)

# The offset up to which each stream of our own is acknowledged: earlier messages are deleted.
SETTLED = sa.Table(
    "settled",
    METADATA,
    sa.Column("stream", _TEXT, primary_key=True),
    sa.Column("epoch", _INTEGER, nullable=False),
    sa.Column("seq", _INTEGER, nullable=False),
    sqlite_with_rowid=False,
)

# The commands that were answered, each recorded in the transaction of its effect.
ANSWERED = sa.Table(
    "answered",
    METADATA,
    sa.Column("message_id", _TEXT, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sqlite_with_rowid=False,
)

# The statements that upgrade a store to the next version; every kind of database accepts them.
UPGRADES = {
    4: ("ALTER TABLE controllers ADD COLUMN seq INTEGER DEFAULT '0' NOT NULL",),
    5: (
        "ALTER TABLE cycles ADD COLUMN seen_at FLOAT",
        "ALTER TABLE cycles ADD COLUMN silent TEXT",
    ),
    6: ("ALTER TABLE devices ADD COLUMN extra TEXT",),
    7: (
        """CREATE TABLE IF NOT EXISTS details (local_id TEXT NOT NULL, device_id TEXT NOT NULL,
        digest TEXT NOT NULL, brief BOOLEAN NOT NULL, at FLOAT NOT NULL, document TEXT NOT NULL,
        PRIMARY KEY (local_id, device_id))""",
        """CREATE TABLE IF NOT EXISTS history (local_id TEXT NOT NULL, device_id TEXT NOT NULL,
        at FLOAT NOT NULL, kind TEXT NOT NULL, fields TEXT NOT NULL,
        PRIMARY KEY (local_id, device_id, at))""",
    ),
}


@lru_cache(maxsize=1)
def create_tables(dialect: sa.Dialect) -> tuple[str, ...]:
    """Return the statements that create the tables and their indexes, written out once."""
    tables = METADATA.sorted_tables
    return (
        *(str(CreateTable(table).compile(dialect=dialect)) for table in tables),
        *(
            str(CreateIndex(index).compile(dialect=dialect))
            for table in tables
            for index in table.indexes
        ),
    )
