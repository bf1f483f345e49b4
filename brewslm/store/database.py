"""One engine a database, one short transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
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
