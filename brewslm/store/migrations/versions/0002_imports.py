"""imports, which can be undone; whether a source was kept whole"""

from itertools import accumulate

import sqlalchemy as sa
from alembic import op

import brewslm.store.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("config_id", sa.Integer(), nullable=False),
        sa.Column("parent_import", sa.String(length=40), nullable=True),
        sa.Column("start_byte", sa.BigInteger(), nullable=False),
        sa.Column("end_byte", sa.BigInteger(), nullable=False),
        sa.Column("accepted_count", sa.Integer(), nullable=False),
        sa.Column("rejected_count", sa.Integer(), nullable=False),
        sa.Column("undone_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", brewslm.store.tables.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"]),
        sa.ForeignKeyConstraint(["config_id"], ["import_configs.id"]),
        sa.ForeignKeyConstraint(["undone_by"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("imports_by_project", "imports", ["project_id", "start_byte"])
    op.add_column("sources", sa.Column("is_whole", sa.Boolean(), nullable=False, server_default=sa.true()))
    _enter_former_commits()


def _enter_former_commits() -> None:
    """Commits of before this table: each begins where the one before it ended."""
    bind = op.get_bind()
    tables = sa.MetaData()
    runs, imports = (sa.Table(name, tables, autoload_with=bind) for name in ("runs", "imports"))
    result = sa.type_coerce(runs.c.result, sa.JSON)
    query = sa.select(runs.c.id, runs.c.project_id, runs.c.ended_at, result)
    former = bind.execute(query.where(runs.c.operation == "map.commit", runs.c.state == "succeeded")).all()
    for project in {run.project_id for run in former}:
        mine = sorted((run for run in former if run.project_id == project), key=lambda run: run.result["committed_bytes"])
        ends = [run.result["committed_bytes"] for run in mine]
        for run, start in zip(mine, [0, *accumulate(ends, max)], strict=False):
            told = run.result
            bind.execute(
                imports.insert().values(
                    run_id=run.id, project_id=project, source_id=told["source_id"], config_id=told["config_id"],
                    start_byte=start, end_byte=told["committed_bytes"], accepted_count=told["accepted_count"],
                    rejected_count=told["rejected_count"], created_at=run.ended_at,
                )
            )  # fmt: skip


def downgrade() -> None:
    op.drop_column("sources", "is_whole")
    op.drop_table("imports")
