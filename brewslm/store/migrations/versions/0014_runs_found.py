"""runs are found by project and operation, by parent, by time and by state, and events of the Academy, however many there are"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ACADEMY = "stage = 'academy'"


def upgrade() -> None:
    op.drop_index("runs_by_project", "runs")
    op.create_index("runs_by_project", "runs", ["project_id", "operation", "number"])
    op.create_index("runs_by_parent", "runs", ["parent_run_id"])
    op.create_index("runs_by_time", "runs", ["created_at", "id"])
    op.create_index("runs_by_state", "runs", ["state", "created_at"])
    op.create_index("run_events_academy", "run_events", ["id"], sqlite_where=sa.text(ACADEMY), postgresql_where=sa.text(ACADEMY))


def downgrade() -> None:
    op.drop_index("run_events_academy", "run_events")
    for name in ("runs_by_state", "runs_by_time", "runs_by_parent", "runs_by_project"):
        op.drop_index(name, "runs")
    op.create_index("runs_by_project", "runs", ["project_id", "operation"])
