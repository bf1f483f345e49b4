"""runs are found by project and operation, by parent, by time and by state, however many there are"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("runs_by_project", "runs")
    op.create_index("runs_by_project", "runs", ["project_id", "operation", "number"])
    op.create_index("runs_by_parent", "runs", ["parent_run_id"])
    op.create_index("runs_by_time", "runs", ["created_at", "id"])
    op.create_index("runs_by_state", "runs", ["state", "created_at"])


def downgrade() -> None:
    for name in ("runs_by_state", "runs_by_time", "runs_by_parent", "runs_by_project"):
        op.drop_index(name, "runs")
    op.create_index("runs_by_project", "runs", ["project_id", "operation"])
