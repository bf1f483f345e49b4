"""media types of documents may be long: Word's has 71 characters"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # which takes a text of any length
        op.alter_column("documents", "media_type", type_=sa.String(length=120), existing_type=sa.String(length=60))
