"""deployment versions know their target's settings and whom they superseded; a slot has one promoted version at most"""

from collections import defaultdict
from itertools import pairwise

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deployment_versions", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    # Not by copying the table, which SQLite would need for a foreign key of its own: slots point to its rows.
    op.execute("ALTER TABLE deployment_versions ADD COLUMN predecessor_id INTEGER REFERENCES deployment_versions (id)")
    _name_predecessors()
    only = sa.text("state = 'promoted'")
    op.create_index(
        "one_promoted_version", "deployment_versions", ["project_id", "slot"], unique=True, sqlite_where=only,
        postgresql_where=only,
    )  # fmt: skip


def _name_predecessors() -> None:
    """Of the slot's versions that were superseded and could come back, each superseded the one before it."""
    versions = sa.table(
        "deployment_versions", sa.column("id"), sa.column("project_id"), sa.column("slot"), sa.column("state"),
        sa.column("changed_at"), sa.column("predecessor_id"),
    )  # fmt: skip
    known = (
        sa.select(versions.c.id, versions.c.project_id, versions.c.slot)
        .where(versions.c.state.in_(("superseded", "promoted")))
        .order_by(versions.c.state == "promoted", versions.c.changed_at, versions.c.id)
    )
    chains = defaultdict(list)
    for number, project, slot in op.get_bind().execute(known):
        chains[project, slot].append(number)
    for chain in chains.values():
        for before, after in pairwise(chain):
            op.execute(versions.update().where(versions.c.id == after).values(predecessor_id=before))


def downgrade() -> None:
    op.drop_index("one_promoted_version", "deployment_versions")
    with op.batch_alter_table("deployment_versions") as versions:
        versions.drop_column("predecessor_id")
        versions.drop_column("settings")
