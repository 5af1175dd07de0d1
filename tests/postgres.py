"""A real PostgreSQL for tests, with a data directory and a port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from tests.conftest import free_port, require

USER, PASSWORD = "pdsno", "p@ss:w/rd"  # to be escaped in a URL
_DEBIAN = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


class Postgres:
    """One server, which trusts nobody without a password."""

    def __init__(self) -> None:
        self._program = require("postgres", *_DEBIAN)
        initdb = require("initdb", *_DEBIAN)
        self.port = free_port()
        # It refuses to be root's, and pytest's folders are closed to others.
        self._user = (
            ("postgres" if _exists("postgres") else "nobody") if os.geteuid() == 0 else None
        )
        self._folder = Path(tempfile.mkdtemp(prefix="pdsno-postgres-"))
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            for path in (self._folder, secret):
                shutil.chown(path, self._user)
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={secret}", "--no-sync",
                   "--encoding=UTF8", "--locale=C"]  # fmt: skip
        self._run(initdb, *options, self._data).wait(60)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd="/", user=self._user,
                                    extra_groups=None if self._user is None else ())  # fmt: skip

    def start(self) -> None:
        settings = {
            "fsync": "off", "listen_addresses": "127.0.0.1", "port": self.port,
            "unix_socket_directories": "", "max_connections": 100, "max_wal_senders": 0,
        }  # fmt: skip
        options = [option for item in settings.items() for option in ("-c", "{}={}".format(*item))]
        self._process = self._run(self._program, "-D", self._data, *options)
        deadline = time.monotonic() + 30
        while True:
            assert self._process.poll() is None, (self._folder / "log").read_text()
            try:
                self.connect().close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it without a word to its clients and without a checkpoint, as a crash does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._folder)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database,
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def execute(self, statement: str, database: str = "postgres") -> None:
        with self.connect(database) as connection:
            connection.execute(statement)

    def create_database(self) -> str:
        """Return the name of a new database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, database: str, password: str = "p%40ss%3Aw%2Frd") -> str:
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/{database}"


def _exists(user: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
