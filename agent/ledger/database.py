"""The ledger's database: opened at the right version, written one transaction at a time, and its
troubles told in sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect, text
from sqlalchemy.engine import URL, make_url

from agent.errors import LedgerRefuses, NeedsAPerson, TryAgainLater
from agent.ledger.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config  # only imported when there is something to upgrade: it is slow

# Called with ("before" | "after", "commit") around each commit: where a test may end the process.
Watch = Callable[[str, str], None]

PATIENCE = 10.0  # seconds that a write waits for another program to finish its own

_ONE_VIEW = {"isolation_level": "REPEATABLE READ"}  # a reading transaction of SQLite always is one

_ON_CONNECT = (
    "PRAGMA journal_mode = WAL",  # reading goes on while a page is written
    "PRAGMA synchronous = FULL",  # what is committed survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is erased is overwritten, not only forgotten
)

# A server that cannot be reached is told of soon; and a machine that died with a page open is given up by the
# server within half a minute, so that its page holds up nobody who takes over.
_TO_SERVER = {
    "connect_timeout": 10,
    "client_encoding": "utf8",  # else a database made without an encoding (SQL_ASCII) answers in bytes
    "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
}


class Database:
    """One database file or server; safe to use from several threads and programs at once."""

    def __init__(self, url: str | URL, watch: Watch | None = None) -> None:
        self.url = make_url(url)
        self.name = _spoken(self.url)
        self._watch = watch or (lambda when, what: None)
        self._turns: dict[str, threading.Lock] = {}
        self._writers: set[int] = set()
        if self.is_sqlite:
            _prepare_file(self.url, self.name)
        self._engine = _engine(self.url)
        self._reads = self._engine.execution_options(**({} if self.is_sqlite else _ONE_VIEW))
        self._writes = self._engine.execution_options(writes=True)
        try:
            self._bring_up_to_date()
        except BaseException:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of what is committed."""
        with self._telling(), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, desk: str = "") -> Iterator[Connection]:
        """One transaction, all or nothing; `desk` is whose lines it may add to. One at a time for a desk, as
        on a server; in a file, one at a time for all."""
        here = threading.get_ident()
        if here in self._writers:
            raise RuntimeError("A page of the ledger is open in this thread already; end it first.")
        with self._turns.setdefault("" if self.is_sqlite else desk, threading.Lock()):
            self._writers.add(here)
            try:
                with self._telling(), self._writes.connect() as connection:
                    yield from self._transaction(connection, desk)
            finally:
                self._writers.discard(here)

    def _transaction(self, connection: Connection, desk: str) -> Iterator[Connection]:
        transaction = connection.begin()  # unless committed, leaving the connection takes all of it back
        if not self.is_sqlite:  # SQLite has one writer at a time anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:desk))"), {"desk": desk})
        yield connection
        self._watch("before", "commit")
        transaction.commit()
        self._watch("after", "commit")

    def now(self, connection: Connection) -> datetime:
        """By the database's own clock: those who share it may have clocks that differ."""
        if self.is_sqlite:
            said = connection.exec_driver_sql(
                "SELECT strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
            ).scalar_one()
            return datetime.fromisoformat(said)
        now: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        return now

    def forget_erased(self) -> None:
        """Leave no copy of what was erased in SQLite's log of recent changes."""
        self._outside_a_transaction("PRAGMA wal_checkpoint(TRUNCATE)")

    def make_anew(self) -> None:
        """Nor in the unused space of SQLite's file, where a line that was once moved from page to page can
        leave a copy that is not overwritten when the line is."""
        self._outside_a_transaction("VACUUM")
        self.forget_erased()

    def _outside_a_transaction(self, order: str) -> None:
        """Carry out what SQLite alone knows, and only there."""
        if self.is_sqlite:
            with self._telling(), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute(order)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Say what is wrong with the database in a sentence; what is wrong with a statement is our bug."""
        try:
            yield
        except exc.DBAPIError as error:
            explained = _explained(error, self.name)
            if explained is None:
                raise
            raise explained from error

    # versions

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            version = _version(connection, self.name)
        if version == HEAD:
            return
        with self.writing() as connection:
            _upgrade(connection, self.name)


def _version(connection: Connection, name: str) -> str | None:
    """The schema's version; None for an empty database."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        if inspect(connection).get_table_names():
            raise NeedsAPerson(
                f"{name} holds something else than a ledger. Name another place under `ledger` in agent.toml."
            )
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade(connection: Connection, name: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = migrations()
    version = _version(connection, name)  # another program may have been faster
    known = {step.revision for step in ScriptDirectory.from_config(settings).walk_revisions()}
    if version is not None and version not in known:
        raise NeedsAPerson(
            f"{name} was written by a newer agent (schema {version}; this one knows up to {HEAD}). "
            "Install that version or a later one, or restore the backup made before it was installed."
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def migrations() -> Config:
    """Alembic's settings: the steps lie inside this package."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


# opening


def _engine(url: URL) -> Engine:
    """`hide_parameters`: what is written must not turn up in the text of an error."""
    if url.get_backend_name() != "sqlite":
        return _server_engine(url)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=_TO_SERVER)
    except ImportError:
        raise NeedsAPerson(
            f"{_spoken(url)} needs a driver that is not installed. "
            "Install the agent with it: pip install 'need-to-know-agent[postgres]'."
        ) from None


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves; the driver would say it too late
    for pragma in _ON_CONNECT:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    """A page takes its turn at once: found out at its end, it would be too late to wait for it."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_file(url: URL, name: str) -> None:
    """Make the file, readable to its owner alone; SQLite gives its own files beside it the same rights."""
    database = url.database
    if not database or database == ":memory:":
        raise NeedsAPerson("The ledger must outlive the agent: name a file under `ledger` in agent.toml.")
    if database.startswith("file:"):
        return  # SQLite's own way of naming a file; it is to be there already
    try:
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o600))
    except FileNotFoundError:
        raise NeedsAPerson(
            f"{name} cannot be made: its folder does not exist. "
            "Make the folder, or name another under `ledger` in agent.toml."
        ) from None
    except OSError as error:
        raise NeedsAPerson(
            f"{name} cannot be opened for writing ({error.strerror}). "
            "Let the agent's user write to the file and to its folder."
        ) from None


def _spoken(url: URL) -> str:
    """How messages name the ledger: its file, or its server without the password."""
    if url.get_backend_name() == "sqlite":
        return f"The ledger {url.database}"
    return f"The ledger {url.render_as_string(hide_password=True)}"


# troubles


def _explained(error: exc.DBAPIError, name: str) -> TryAgainLater | LedgerRefuses | None:
    """The trouble in a sentence; None when it is not the database's."""
    if isinstance(error.orig, sqlite3.Error):
        return _explained_sqlite(getattr(error.orig, "sqlite_errorname", ""), name)
    code = getattr(error.orig, "sqlstate", None)
    if code in _POSTGRES_SAYS:
        return LedgerRefuses(f"{name} {_POSTGRES_SAYS[code]}")
    if error.connection_invalidated or isinstance(error, exc.OperationalError):
        return TryAgainLater(f"{name} cannot be reached now. See that its server runs and lets the agent in.")
    return None


def _explained_sqlite(code: str, name: str) -> TryAgainLater | LedgerRefuses | None:
    """By SQLite's name of the error, the extended ones (SQLITE_BUSY_SNAPSHOT) included."""
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return TryAgainLater(
            f"{name} is being written by another program. It is tried again; if that goes on, look for a "
            "second agent or a tool that has the file open."
        )
    for codes, sentence in _SQLITE_SAYS.items():
        if code.startswith(codes):
            return LedgerRefuses(f"{name} {sentence}")
    return None


_SQLITE_SAYS = {
    ("SQLITE_FULL",): (
        "cannot grow: the disk is full. Nothing was half-written. Free some space: the agent goes on then."
    ),
    ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH"): (
        "cannot be opened for writing. Let the agent's user write to the file and to its folder."
    ),
    ("SQLITE_NOTADB", "SQLITE_CORRUPT"): (
        "is damaged or no ledger at all. Set the file aside and restore the last backup."
    ),
    ("SQLITE_IOERR",): (
        "cannot be read or written: the disk reports an error. See that it has room, is well and local."
    ),
}

_POSTGRES_SAYS = {
    "42501": "refuses the agent. Let its role make and own the tables of this database.",
    "25006": "can only be read: the server is a standby. Name the one that is written to.",
}
