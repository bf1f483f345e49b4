"""the failures of the event stream, found without reading the rest"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FAILURES = sa.text("severity IN ('error', 'critical')")


def upgrade() -> None:
    op.create_index("run_events_failures", "run_events", ["project_id", "id"], sqlite_where=FAILURES, postgresql_where=FAILURES)


def downgrade() -> None:
    op.drop_index("run_events_failures", "run_events")
