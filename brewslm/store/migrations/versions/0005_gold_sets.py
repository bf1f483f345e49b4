"""gold sets, their rows, and what reviewers said of them"""

import sqlalchemy as sa
from alembic import op

import brewslm.store.tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gold_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("task_profile", sa.String(length=40), nullable=True),
        sa.Column("adapter_preset", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("locked_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", brewslm.store.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["locked_by"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "name", "version"),
    )
    op.create_table(
        "gold_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gold_set_id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["gold_set_id"], ["gold_sets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gold_set_id", "row_id"),
    )
    op.create_table(
        "gold_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gold_row_id", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(length=100), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("settles", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", brewslm.store.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["gold_row_id"], ["gold_rows.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("gold_reviews_by_row", "gold_reviews", ["gold_row_id"])


def downgrade() -> None:
    op.drop_table("gold_reviews")
    op.drop_table("gold_rows")
    op.drop_table("gold_sets")
