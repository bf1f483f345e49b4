"""what a slot's gateway is set to, and what it counted"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slot_settings",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(length=60), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.PrimaryKeyConstraint("project_id", "slot"),
    )
    op.create_table(
        "gateway_statistics",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("tally", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["deployment_versions.id"]),
        sa.PrimaryKeyConstraint("version_id", "day"),
    )


def downgrade() -> None:
    op.drop_table("gateway_statistics")
    op.drop_table("slot_settings")
