"""0006: a home of before it keeps its versions, and each knows whom it superseded."""

from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, select

from brewslm.settings import settings
from brewslm.store import database
from brewslm.store.database import reading
from brewslm.store.tables import DeploymentVersion, now

BEFORE = (
    (1, "default", "superseded", 1), (2, "default", "rolled_back", 4), (3, "default", "superseded", 5),
    (4, "default", "promoted", 5), (5, "default", "pending", 6), (6, "other", "promoted", 2),
)  # fmt: skip
"""Number, slot, state, and the hour of its last change."""


def test_versions_of_before_know_whom_they_superseded(home):
    home.mkdir(parents=True)
    former = create_engine(settings().resolved_database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    config.attributes["engine"] = former
    command.upgrade(config, "0005")
    tables, then = MetaData(), now()
    with former.begin() as bind:  # what the versions point at is of no matter here: this connection checks no foreign keys
        tables.reflect(bind)
        for number, slot, state, hour in BEFORE:
            bind.execute(
                tables.tables["deployment_versions"].insert().values(
                    id=number, project_id=1, slot=slot, version=number, export_id="export-1", variant="gguf-f16", target="local",
                    state=state, actor="me", created_at=then, changed_at=then + timedelta(hours=hour),
                )
            )  # fmt: skip
        bind.execute(tables.tables["slots"].insert().values(project_id=1, name="default", version_id=4))
    former.dispose()
    with reading() as session:
        found = session.scalars(select(DeploymentVersion).order_by(DeploymentVersion.id)).all()
    assert {one.id: one.predecessor_id for one in found} == {1: None, 2: None, 3: 1, 4: 3, 5: None, 6: None}
    assert all(one.settings == {} for one in found)
