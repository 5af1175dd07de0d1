"""PostgreSQL: each store is a schema of its own, so that many share a database.

A schema for each controller, rather than a column in every table: the statements are SQLite's, a
controller that is gone is one DROP SCHEMA, and rights are granted for one controller.

A commit returns when it is on the server's disk. A store has one writer, whose connection holds an
advisory lock; the server releases it when the connection breaks.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.dml import OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool

from pdsno_cli.model.errors import PdsnoError, StateError, StoreUnavailableError, UsageError
from pdsno_cli.nib.database import Database, StoreInUseError

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

_BUSY = 5.0  # seconds to wait for another process's lock
_POLL = 0.1  # seconds between two tries to lock
_LONGEST = 63  # bytes of a name: https://www.postgresql.org/docs/current/limits.html
# Of libpq, unless the URL says otherwise; in seconds, tcp_user_timeout in milliseconds.
_CONNECTION = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
# Of the server: it releases the lock of a machine that is gone as soon as we would notice.
_SETTINGS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_LOCKED_BY = """\
SELECT a.client_addr FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
AND (l.classid::bigint << 32) | l.objid::bigint = %s"""
_APPEND_ONLY = (
    """\
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE integrity_constraint_violation USING MESSAGE = ''events are append-only''; END'""",
    """\
CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events
FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
)

# What opening the store again may mend. A standby refuses to write until it takes over; a schema
# that was dropped is made again.
_PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.UndefinedTable,
)


@compiles(OnConflictDoUpdate, "postgresql")
def _on_conflict(clause: OnConflictDoUpdate, compiler: SQLCompiler, **kw: Any) -> str:
    """Write SQLite's ON CONFLICT, which is PostgreSQL's but for a target that it cannot name."""
    clause.constraint_target = None  # type: ignore[attr-defined]
    return compiler.visit_on_conflict_do_update(clause, **kw)  # type: ignore[no-any-return, attr-defined]


class Postgresql(Database):
    """The schema ``owner`` of the database that ``url`` names."""

    dialect = PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]

    def __init__(self, url: sa.URL, owner: str) -> None:
        self._schema = _identifier(owner)
        self._url = url.set(
            query={"application_name": f"pdsno {owner}", **_CONNECTION, **url.query}
        )
        where = sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        super().__init__(f"the store {self._schema} in {where}")

    @classmethod
    def at(cls, url: str, owner: str) -> Postgresql:
        """Return the store of ``owner`` in the database at ``url``."""
        try:
            if url.count("@") > 1:
                raise ValueError("an '@' that is not escaped")  # noqa: TRY301 - handled alike
            parsed = sa.make_url(url)
        except (sa.exc.ArgumentError, ValueError):
            raise UsageError(
                "nib: the URL of the database cannot be read; in a user name or password, write "
                "':', '/' and '@' as %3A, %2F and %40"
            ) from None  # the cause shows the password
        return cls(parsed, owner)

    def connect(self, *, read_only: bool = False) -> sa.Connection:
        """Return a new connection, whose transactions see one moment; a writer's holds the lock."""
        with self.explained():
            return (self._reader if read_only else self._writer).connect()

    def begin(self, connection: sa.Connection, *, write: bool) -> None:
        """Begin a transaction."""
        connection.begin()

    def version(self, connection: sa.Connection) -> int:
        """Return the version that ``meta`` records."""
        if connection.exec_driver_sql("SELECT to_regclass('meta')").scalar_one() is None:
            return 0
        query = "SELECT value FROM meta WHERE key = 'version'"
        return int(connection.exec_driver_sql(query).scalar_one())

    def set_version(self, version: int) -> str:
        """Return the statement that records the version in ``meta``."""
        return (
            f"INSERT INTO meta (key, value) VALUES ('version', {version:d}) "  # noqa: S608 - a number
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )

    def make_append_only(self) -> Sequence[str]:
        """Return the trigger that refuses to change or delete events."""
        return _APPEND_ONLY

    def explain(self, error: BaseException | None) -> PdsnoError | None:
        """Return one line for an error of the server, or on the way to it."""
        if not isinstance(error, psycopg.Error):
            return None
        why = error.diag.message_primary or " ".join(str(error).split())
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return StateError(
                f"{self.name} cannot be used: {why}; grant it to the user, or create the schema "
                f'with CREATE SCHEMA "{self._schema}" AUTHORIZATION'
            )
        if isinstance(error, _PASSING):
            return StoreUnavailableError(f"{self.name} cannot be used now: {why}")
        return None

    @cached_property
    def _writer(self) -> sa.Engine:
        engine = self._engine()
        event.listen(engine, "connect", self._prepare_writer)
        return engine

    @cached_property
    def _reader(self) -> sa.Engine:
        engine = self._engine()
        event.listen(engine, "connect", self._prepare_reader)
        return engine

    def _engine(self) -> sa.Engine:
        return sa.create_engine(
            self._url,
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            paramstyle="format",
            use_native_hstore=False,
        )

    def _prepare_reader(self, raw: psycopg.Connection[Any], _record: object) -> None:
        self._prepare(raw, default_transaction_read_only="on")

    def _prepare_writer(self, raw: psycopg.Connection[Any], _record: object) -> None:
        self._prepare(raw, **_SETTINGS)
        try:
            self._lock(raw)
            if raw.execute("SHOW synchronous_commit").fetchone() == ("off",):
                raw.execute("SET synchronous_commit = on")
            found = raw.execute("SELECT FROM pg_namespace WHERE nspname = %s", [self._schema])
            if found.fetchone() is None:
                raw.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(self._quoted))
            raw.commit()
        except BaseException:
            raw.close()  # SQLAlchemy does not know of it
            raise

    def _prepare(self, raw: psycopg.Connection[Any], **settings: str) -> None:
        """Have every name on this connection be one of the store's own schema."""
        try:
            settings["search_path"] = self._quoted.as_string(raw)
            for name, value in settings.items():
                raw.execute("SELECT set_config(%s, %s, false)", [name, value])
            raw.commit()
        except BaseException:
            raw.close()
            raise

    def _lock(self, raw: psycopg.Connection[Any]) -> None:
        """Lock the store for as long as the connection lasts."""
        digest = hashlib.sha256(f"pdsno {self._schema}".encode()).digest()
        key = int.from_bytes(digest[:8], signed=True)
        deadline = time.monotonic() + _BUSY
        while raw.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone() != (True,):
            if time.monotonic() >= deadline:
                holder = raw.execute(_LOCKED_BY, [key]).fetchone()
                where = "" if holder is None or holder[0] is None else f" at {holder[0]}"
                raise StoreInUseError(
                    f"{self.name} is in use by another process{where}: one may run a controller"
                )
            raw.commit()
            time.sleep(_POLL)

    @cached_property
    def _quoted(self) -> psycopg.sql.Identifier:
        return psycopg.sql.Identifier(self._schema)


def _identifier(owner: str) -> str:
    """Return a schema's name: ``owner``, with a hash in place of its end where that is too long."""
    text = re.sub(
        r"[^A-Za-z0-9._/-]", lambda match: "".join(f"={b:02X}" for b in match[0].encode()), owner
    )
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[: _LONGEST - len(digest) - 1]}~{digest}"


DATABASE = Postgresql.at
