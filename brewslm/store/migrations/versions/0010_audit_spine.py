"""events that came late, the payload's own hash, an append that must follow, and the database's identity"""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

import brewslm.store.tables

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
NEWEST = "FROM run_events WHERE project_id = NEW.project_id ORDER BY sequence DESC LIMIT 1"
BROKEN = f"""NEW.sequence <> coalesce((SELECT sequence {NEWEST}), 0) + 1
    OR NEW.previous_hash <> coalesce((SELECT hash {NEWEST}), '{GENESIS}')
    OR EXISTS (SELECT 1 FROM run_events WHERE id = NEW.id)"""
"""The last line is for INSERT OR REPLACE, which removes the row in its way without asking the DELETE trigger."""


def upgrade() -> None:
    op.add_column("run_events", sa.Column("written_at", sa.String(length=40), nullable=True))
    op.add_column("run_events", sa.Column("payload_hash", sa.String(length=64), nullable=True))
    identity = op.create_table(
        "database_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("created_at", brewslm.store.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(identity, [{"id": 1, "uid": uuid4().hex, "created_at": datetime.now(UTC)}])
    said = "run_events is append-only: an event follows the newest of its project"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER run_events_follow BEFORE INSERT ON run_events WHEN {BROKEN} BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION run_events_follow() RETURNS trigger AS $$ BEGIN "
        f"IF {BROKEN} THEN RAISE EXCEPTION '{said}'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    op.execute("CREATE TRIGGER run_events_follow BEFORE INSERT ON run_events FOR EACH ROW EXECUTE FUNCTION run_events_follow()")
    op.execute(
        "CREATE TRIGGER run_events_no_truncate BEFORE TRUNCATE ON run_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION run_events_no_delete()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER run_events_follow")
    else:
        op.execute("DROP TRIGGER run_events_no_truncate ON run_events")
        op.execute("DROP TRIGGER run_events_follow ON run_events")
        op.execute("DROP FUNCTION run_events_follow()")
    op.drop_table("database_identity")
    op.drop_column("run_events", "payload_hash")
    op.drop_column("run_events", "written_at")
