import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from brewslm.store.database import engine, reading, transaction
from brewslm.store.tables import Base, Project


def test_the_migrations_make_exactly_the_tables_of_the_code():
    with engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


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
