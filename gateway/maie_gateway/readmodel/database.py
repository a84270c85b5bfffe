"""The database behind the read model: connecting, and making its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from importlib.util import find_spec
from threading import Lock
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import (
    DDL,
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateColumn

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.readmodel.fulltext import FULL_TEXT
from maie_gateway.readmodel.reads import Deadline, query_too_slow
from maie_gateway.readmodel.tables import SCHEMA_VERSION, metadata, versions

log = structlog.get_logger()

# Another process, such as the rebuild command, may lock the database for a batch.
BUSY_SECONDS = 10.0
CONNECT_SECONDS = 5
# No statement takes this long; a stuck database must not block the rest.
STATEMENT_SECONDS = 30
RETRY_AFTER = timedelta(seconds=5)
# The key of the lock under which gateways create the tables one at a time; an arbitrary number.
SCHEMA_LOCK = 5_023_191

WRITES = "maie_writes"
IN_MEMORY = (None, "", ":memory:")
# SQLite checks the deadline after so many instructions: some ten times in a millisecond.
PROGRESS_INSTRUCTIONS = 10_000
CHECKPOINT_MILLISECONDS = 200


class Database:
    """An engine and its tables. Every method blocks.

    Args:
        url: As `ReadModelSettings.url`.

    Raises:
        StageError: FAILED_PRECONDITION with READ_MODEL_DRIVER_MISSING;
            UNAVAILABLE with READ_MODEL_UNAVAILABLE where the database does
            not answer.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(make_url(url))
        self.index = FULL_TEXT[self._engine.dialect.name]()
        self._prepared = False
        self._preparing = Lock()

    @property
    def name(self) -> str:
        """The URL for logs: without the password, and without options, which may hold one."""
        return self._engine.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def reading(self, deadline: Deadline | None = None) -> Iterator[Connection]:
        """A transaction that reads.

        Raises:
            StageError: DEADLINE_EXCEEDED with QUERY_TOO_SLOW.
        """
        with _unavailable(deadline):
            self.prepare()
            with self._engine.begin() as connection:
                if deadline is None:
                    yield connection
                    return
                with self._bounded(connection, deadline):
                    yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; an error rolls it back."""
        with _unavailable():
            self.prepare()
            with self._begin_writing() as connection:
                yield connection

    def prepare(self) -> None:
        """Creates missing tables and columns; recreates tables of another version."""
        with self._preparing:
            if self._prepared:
                return
            with _unavailable(), self._begin_writing() as connection:
                self._lock(connection)
                if _version(connection) == SCHEMA_VERSION:
                    _add_columns(connection)
                else:
                    self._make(connection)
            self._prepared = True

    def clear(self) -> None:
        """Removes everything."""
        with _unavailable(), self._begin_writing() as connection:
            self._lock(connection)
            self._make(connection)

    def analyze(self) -> None:
        """Updates the statistics of the query planner."""
        with self.writing() as connection:
            connection.execute(text("ANALYZE"))

    def purge(self) -> bool:
        """Erases some removed data from the disk; returns whether there is more.

        PostgreSQL does this by itself: removed data stays until autovacuum, and
        in the WAL until that is recycled.
        """
        with self.writing() as connection:
            if self.index.purge(connection):
                return True
        return self._engine.dialect.name == "sqlite" and not self._truncate_wal()

    def _truncate_wal(self) -> bool:
        """Truncates the write-ahead log, which contains old pages; returns whether it could."""
        with _unavailable(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            # A short timeout: a reader of an older snapshot may run for seconds.
            raw.execute(f"PRAGMA busy_timeout = {CHECKPOINT_MILLISECONDS}")
            try:
                busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute(f"PRAGMA busy_timeout = {round(BUSY_SECONDS * 1000)}")
        return not busy

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    @contextmanager
    def _bounded(self, connection: Connection, deadline: Deadline) -> Iterator[None]:
        """Ends a connection's statements at the deadline."""

        def check(*_: object) -> None:
            if deadline.passed:
                raise query_too_slow()

        event.listen(connection, "before_cursor_execute", check)
        if self._engine.dialect.name == "postgresql":
            milliseconds = max(round(deadline.left * 1000), 1)
            connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
            driver: Any = connection.connection.driver_connection
            with deadline.cancelling(driver.cancel):
                yield
            return
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(lambda: deadline.passed, PROGRESS_INSTRUCTIONS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)

    def _begin_writing(self) -> AbstractContextManager[Connection]:
        return self._engine.execution_options(**{WRITES: True}).begin()

    def _lock(self, connection: Connection) -> None:
        if self._engine.dialect.name == "postgresql":
            connection.execute(select(text(f"pg_advisory_xact_lock({SCHEMA_LOCK})")))

    def _make(self, connection: Connection) -> None:
        self.index.drop(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        self.index.create(connection)
        connection.execute(delete(versions))
        connection.execute(insert(versions).values(version=SCHEMA_VERSION))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(versions.name):
        return None
    return connection.execute(select(versions.c.version)).scalar()


def _add_columns(connection: Connection) -> None:
    """Adds the columns that the tables did not have in an earlier release."""
    for table in metadata.sorted_tables:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                added = CreateColumn(column).compile(dialect=connection.dialect)
                connection.execute(DDL(f"ALTER TABLE {table.name} ADD COLUMN {added}"))


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return _postgresql(url)
    if url.database in IN_MEMORY:
        engine = _sqlite_in_memory()
    else:
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _sqlite_in_memory() -> Engine:
    """A database in the memory of this process, shared by several threads."""
    name = f"file:/maie-{uuid4()}?vfs=memdb"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(name, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

    # The database exists as long as a connection is open, so this one stays open.
    keeper = connect()
    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "engine_disposed", lambda _: keeper.close())
    return engine


def _postgresql(url: URL) -> Engine:
    if find_spec("psycopg") is None:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.READ_MODEL_DRIVER_MISSING,
            "PostgreSQL needs psycopg; install maie-gateway[postgresql].",
        )
    options = {
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
        "application_name": "maie-gateway",
        # A prepared statement is planned without its values, so rare words would get a bad plan.
        "prepare_threshold": None,
    }
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args=options,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _on_sqlite_connect(connection: object, _record: object) -> None:
    # `_on_sqlite_begin` begins transactions; those of the module do not cover CREATE and DROP.
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode = WAL")
    # A power failure may lose the last transactions; JetStream provides them again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    # Overwrite removed data on the disk.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    # A transaction that reads before it writes fails if another process wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _unavailable(deadline: Deadline | None = None) -> Iterator[None]:
    try:
        yield
    except (InterfaceError, OperationalError, PoolTimeoutError) as error:
        if deadline is not None and deadline.passed:
            raise query_too_slow() from error
        # Only the error's type: its message may quote the text of a recording.
        log.warning("readmodel.failed", error=type(getattr(error, "orig", error)).__name__)
        raise StageError(
            Code.UNAVAILABLE,
            Reason.READ_MODEL_UNAVAILABLE,
            "Lists and search are not available: their database does not answer. Jobs go on; "
            "try again in a few seconds.",
            retry_after=RETRY_AFTER,
        ) from error
