import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import local

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine

from brewslm.settings import settings
from brewslm.store import database
from brewslm.store.database import engine, reading, transaction
from brewslm.store.records import imports_of
from brewslm.store.tables import Base, Project, Source, now


def test_the_migrations_make_exactly_the_tables_of_the_code():
    def is_of_code(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or not str(name).startswith("event_search")  # the index that a trigger fills has no class

    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_of_code})
        assert compare_metadata(context, Base.metadata) == []


def test_a_transaction_commits_whole_or_not_at_all():
    with transaction() as session:
        session.add(Project(name="kept"))
    with pytest.raises(RuntimeError), transaction() as session:
        session.add(Project(name="lost"))
        session.flush()
        raise RuntimeError
    with reading() as session:
        assert [project.name for project in session.query(Project)] == ["kept"]


def test_a_moment_comes_back_with_its_zone():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5)))
    with transaction() as session:
        session.add(Project(name="one", created_at=moment))
    with reading() as session:
        found = session.query(Project).one().created_at
    assert found == moment and found.tzinfo is UTC


def test_two_first_commands_at_once_make_the_tables_once(home):
    code = "from brewslm.store.database import engine; engine().dispose()"
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [(b"", 0)] * 2


def test_two_writers_take_turns(project):
    """A read that is upgraded to a write while another process writes would fail; every writer takes its lock at once."""
    code = """
from brewslm.store.database import transaction
from brewslm.store.tables import Project
for _ in range(50):
    with transaction() as session:
        one = session.get(Project, 1)
        one.name = str(int(one.name) + 1) if one.name.isdigit() else "1"
"""
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    with reading() as session:
        assert session.get(Project, project).name == "100"


def test_commits_of_before_the_table_of_imports_are_entered_in_it(home):
    """Of three: the second one accepted nothing, so that it ends where the first one does."""
    home.mkdir(parents=True)
    former = create_engine(settings().resolved_database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    config.attributes["engine"] = former
    command.upgrade(config, "0001")
    made = {"created_at": now()}
    mapping = {"locator": "l", "mapper": "m", "field_map": {}, "drop_reasons": [], "key": "k"}
    kept = {"locator": "l", "scheme": "jsonl", "content_hash": "h", "path": "p", "row_count": 9, "sentinel_counts": {}}
    with former.begin() as bind:
        tables = MetaData()
        tables.reflect(bind)

        def insert(table, **values):
            bind.execute(Base.metadata.tables[table].insert().values(**values, **made))

        bind.execute(tables.tables["projects"].insert().values(id=1, name="a project", **made))  # it had no base model
        for number, (length, accepted) in enumerate([(500, 5), (500, 0), (900, 4)], 1):
            told = {"committed_bytes": length, "accepted_count": accepted, "rejected_count": 1, "source_id": 1, "config_id": 1}
            insert(
                "runs", id=f"import-{number}", kind="import", number=number, operation="map.commit", project_id=1, actor="me",
                state="succeeded", request={}, result=told, ended_at=now(),
            )  # fmt: skip
        insert("import_configs", id=1, project_id=1, **mapping)
        sources = tables.tables["sources"]  # as it was: without is_whole
        told = kept | {"sentinel_counts": "{}", "id": 1, "project_id": 1, "run_id": "import-1", "size_bytes": 9} | made
        bind.execute(sources.insert().values(**told))
    former.dispose()
    with reading() as session:
        spans = {one.run_id: (one.start_byte, one.end_byte, one.accepted_count) for one in imports_of(session, 1)}
        assert session.get_one(Source, 1).is_whole
    assert spans == {"import-1": (0, 500, 5), "import-2": (500, 500, 0), "import-3": (500, 900, 4)}


def test_threads_that_open_databases_at_the_same_time_each_get_theirs(tmp_path, monkeypatch):
    homes = [settings().model_copy(update={"home": tmp_path / str(n), "database_url": None}) for n in range(8)]
    mine = local()

    def opened(one):
        mine.settings = one
        engine().dispose()

    with monkeypatch.context() as patched, ThreadPoolExecutor(8) as threads:
        patched.setattr(database, "settings", lambda: mine.settings)
        list(threads.map(opened, homes))
    assert all((one.home / "brewslm.sqlite").is_file() for one in homes)


def test_a_thread_that_opens_one_database_does_not_put_it_in_the_place_of_the_next(tmp_path, monkeypatch):
    """As when somebody's page still reads while the next home is chosen."""
    migrate = command.upgrade

    def upgrade(config, to):
        migrate(config, to)
        monkeypatch.setenv("BREWSLM_HOME", str(tmp_path / "next"))
        settings.cache_clear()

    with monkeypatch.context() as patched:
        patched.setattr(database.command, "upgrade", upgrade)
        engine()
    assert engine().url.database == str(tmp_path / "next" / "brewslm.sqlite")
