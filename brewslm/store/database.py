"""One engine a database, one short transaction at a time."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session

from brewslm.settings import settings
from brewslm.store.locks import lock

_MIGRATING = Lock()
"""alembic keeps what it is at in a module of its own: two threads must not migrate at once, not even two databases."""
_ENGINES: dict[str, Engine] = {}
"""By URL, so that a thread that was opening one database can't put it in the place of another that was chosen meanwhile."""

_WAIT = "busy_timeout=30000"
_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock: well under a millisecond."""


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin for us: see _on_begin
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"synchronous={settings().synchronous}", "foreign_keys=ON", _WAIT):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A writer takes the lock at once: a read that is upgraded later fails at once when another process writes.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', '')}")


def engine() -> Engine:
    """The database, migrated to this version's tables when first opened."""
    now = settings()
    url = now.resolved_database_url
    if url not in _ENGINES:
        with _MIGRATING:
            if url not in _ENGINES:
                _ENGINES[url] = _opened(url, now.home)
    return _ENGINES[url]


def _opened(url: str, home: Path) -> Engine:
    home.mkdir(parents=True, exist_ok=True)
    made = create_engine(url)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _on_connect)
        event.listen(made, "begin", _on_begin)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = made
    with lock(home / "locks" / "migrate"):  # two first commands at once must not both create the tables
        command.upgrade(config, "head")
    return made


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back on an error."""
    writer = engine().execution_options(sqlite_begin="IMMEDIATE")
    with Session(writer, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def brief_transaction(lock_seconds: float, seconds: float) -> Iterator[Connection]:
    """A transaction of plain statements that ends in time: it commits at the end of the block, and rolls back on an error.

    Args:
        lock_seconds: The longest wait for the database's lock.
        seconds: The longest that its statements may take together; what takes longer is broken off. A commit that hangs in the
            disk is not.
    """
    with engine().connect().execution_options(sqlite_begin="IMMEDIATE") as connection:
        if connection.dialect.name != "sqlite":
            with connection.begin():
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(lock_seconds * 1000)}")
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
                yield connection
            return
        with _bounded(connection.connection.driver_connection, lock_seconds, seconds), connection.begin():
            yield connection


@contextmanager
def brief_cursor(lock_seconds: float, seconds: float) -> Iterator[Any]:
    """The same for the driver's own cursor: what SQLAlchemy does around a statement takes ten times as long as the statement."""
    if engine().dialect.name != "sqlite":
        with brief_transaction(lock_seconds, seconds) as connection:
            yield connection.connection.cursor()
        return
    pooled = engine().raw_connection()
    try:
        raw: Any = pooled.driver_connection
        with _bounded(raw, lock_seconds, seconds):
            raw.execute("BEGIN IMMEDIATE")
            yield raw.cursor()
            raw.commit()
    finally:
        pooled.close()  # what was not committed is rolled back


@contextmanager
def _bounded(raw: Any, lock_seconds: float, seconds: float) -> Iterator[None]:
    """A connection of SQLite's whose waits and statements have an end, for the block."""
    until = time.monotonic() + seconds
    raw.execute(f"PRAGMA busy_timeout={int(lock_seconds * 1000)}")
    raw.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    finally:
        with suppress(sqlite3.Error):  # one that is broken is not used again
            raw.set_progress_handler(None, 0)
            raw.execute(f"PRAGMA {_WAIT}")


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading."""
    with Session(engine(), expire_on_commit=False) as session:
        yield session


def forget_connections() -> None:
    """Close each engine and forget the settings, so that the next use reads them again."""
    with _MIGRATING:
        for made in _ENGINES.values():
            made.dispose()
        _ENGINES.clear()
    settings.cache_clear()
