"""rows whose text was removed, and what has another hash since"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("kept_sha256", sa.String(64), nullable=True))
    op.create_table(
        "forgotten_rows",
        sa.Column("project_id", sa.Integer(), sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("row_id", sa.String(200), primary_key=True),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("content_key", sa.String(64), nullable=False),
        sa.Column("same", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "forgotten_files",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("project_id", sa.Integer(), sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("run_id", sa.String(40), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("old_sha256", sa.String(64), nullable=False),
        sa.Column("new_sha256", sa.String(64), nullable=False),
    )
    op.create_index("forgotten_files_by_hash", "forgotten_files", ["project_id", "old_sha256"])


def downgrade() -> None:
    op.drop_index("forgotten_files_by_hash", "forgotten_files")
    op.drop_table("forgotten_files")
    op.drop_table("forgotten_rows")
    op.drop_column("sources", "kept_sha256")
