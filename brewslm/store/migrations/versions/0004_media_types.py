"""media types of documents may be long: Word's has 71 characters"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _resize(60, 120)


def downgrade() -> None:
    _resize(120, 60)


def _resize(former: int, length: int) -> None:
    with op.batch_alter_table("documents") as documents:  # SQLite can't alter a column: the table is copied
        documents.alter_column("media_type", type_=sa.String(length=length), existing_type=sa.String(length=former))
