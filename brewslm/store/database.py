"""One engine a process, one short transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from brewslm.settings import settings
from brewslm.store.locks import lock

_MIGRATING = Lock()
"""alembic keeps what it is at in a module of its own: two threads must not migrate at once, not even two databases."""


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin for us: see _on_begin
    cursor = connection.cursor()
    # FULL: an event that was told as written survives a power cut; the stream is slow enough to afford it.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A writer takes the lock at once: a read that is upgraded later fails at once when another process writes.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', '')}")


@cache
def engine() -> Engine:
    """The database, migrated to this version's tables when first opened."""
    home = settings().home
    home.mkdir(parents=True, exist_ok=True)
    url = settings().resolved_database_url
    made = create_engine(url)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _on_connect)
        event.listen(made, "begin", _on_begin)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = made
    with _MIGRATING, lock(home / "locks" / "migrate"):  # two first commands at once must not both create the tables
        command.upgrade(config, "head")
    return made


@cache
def _writers() -> sessionmaker[Session]:
    return sessionmaker(engine().execution_options(sqlite_begin="IMMEDIATE"), expire_on_commit=False)


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back on an error."""
    with _writers().begin() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading."""
    with Session(engine(), expire_on_commit=False) as session:
        yield session


def forget_connections() -> None:
    """Close the engine and forget the settings, so that the next use reads them again."""
    if engine.cache_info().currsize:
        engine().dispose()
    for cached in (engine, _writers, settings):
        cached.cache_clear()
