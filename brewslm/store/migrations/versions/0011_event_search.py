"""events are found by every filter and by their words; calls keep their face and their request's id; filters can be kept"""

import sqlalchemy as sa
from alembic import op

import brewslm.store.tables

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Events enter the index many at a time: one by one, each would cost a segment of its own, three times what its row costs.
BATCH = 128
# A private sign begins the tokens of the exact filters, another parts the values, so that no phrase reaches from one to the next.
_TOKENS = (
    ("p", "e.project_id"), ("s", "e.stage"), ("v", "e.severity"), ("c", "e.reason_code"), ("a", "e.actor"),
    ("r", "e.run_id"), ("u", "e.parent_run_id"), ("y", "substr(e.ts, 1, 4)"), ("m", "substr(e.ts, 1, 7)"),
    ("d", "substr(e.ts, 1, 10)"), ("h", "substr(e.ts, 1, 13)"), ("i", "substr(e.ts, 1, 16)"),
)  # fmt: skip
_SCOPE = " || ' ' || ".join(f"char(57344) || '{kind}' || hex({value})" for kind, value in _TOKENS)
_VALUES = """coalesce((SELECT group_concat(atom, ' ' || char(57345) || ' ')
    FROM json_tree(CASE WHEN json_valid(e.payload) THEN e.payload ELSE '{}' END) WHERE type IN ('text', 'integer')), '')"""
_WORDS = " || ' ' || char(57345) || ' ' || ".join(
    (_SCOPE, "e.reason_code", "e.actor", "coalesce(e.run_id, '')", "coalesce(e.parent_run_id, '')", _VALUES)
)
_INDEX = f"""INSERT INTO event_search(rowid, words) SELECT e.id, {_WORDS} FROM run_events e
    WHERE e.id > (SELECT indexed FROM event_search_state)"""

# The same words on Postgres; in an index of its own, for nothing there is cheaper many at a time.
_POSTGRES_WORDS = """CREATE FUNCTION event_words(code text, actor text, run text, parent text, payload text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT to_tsvector('simple', regexp_replace(lower(concat_ws(' zqpartzq ', code, actor, run, parent, (
    SELECT string_agg(value #>> '{}', ' zqpartzq ')
    FROM jsonb_path_query(payload::jsonb, 'strict $.** ? (@.type() == "string" || @.type() == "number")') AS value
    WHERE jsonb_typeof(value) = 'string' OR value #>> '{}' ~ '^-?[0-9]+$'
))), '[^[:alnum:]]+', ' ', 'g')) $$"""


def upgrade() -> None:
    op.add_column("audit_entries", sa.Column("face", sa.String(length=10), nullable=False, server_default=""))
    op.add_column("audit_entries", sa.Column("request_id", sa.String(length=100), nullable=False, server_default=""))
    op.execute(
        "UPDATE audit_entries SET face = CASE WHEN actor LIKE 'cli:%' THEN 'cli' WHEN actor = 'api' THEN 'api' "
        "WHEN actor = 'page' THEN 'web' WHEN actor = 'schedule' THEN 'schedule' ELSE 'python' END"
    )
    op.create_index("audit_entries_by_project", "audit_entries", ["project_id"])
    op.create_index("audit_entries_by_run", "audit_entries", ["run_id"])
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("of", sa.String(length=10), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("created_at", brewslm.store.tables.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("run_events_by_run", "run_events", ["run_id"])
    op.create_index("run_events_by_parent", "run_events", ["parent_run_id"])
    if op.get_bind().dialect.name == "sqlite":
        _search_on_sqlite()
    else:
        _search_on_postgres()


def _search_on_sqlite() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE event_search USING fts5(words, content='', columnsize=0, tokenize=\"unicode61 remove_diacritics 0\")"
    )
    op.execute("CREATE TABLE event_search_state (one INTEGER PRIMARY KEY CHECK (one = 1), indexed INTEGER NOT NULL)")
    op.execute("INSERT INTO event_search_state VALUES (1, 0)")
    op.execute(f"{_INDEX} ORDER BY e.id")
    op.execute("UPDATE event_search_state SET indexed = (SELECT coalesce(max(id), 0) FROM run_events)")
    op.execute(
        f"CREATE TRIGGER run_events_searchable AFTER INSERT ON run_events "
        f"WHEN new.id >= (SELECT indexed FROM event_search_state) + {BATCH} BEGIN "
        f"{_INDEX} AND e.id <= new.id ORDER BY e.id; UPDATE event_search_state SET indexed = new.id; END"
    )


def _search_on_postgres() -> None:
    op.execute(_POSTGRES_WORDS)
    op.execute(
        "CREATE INDEX run_events_words ON run_events USING gin (event_words(reason_code, actor, run_id, parent_run_id, payload))"
    )
    op.create_index("run_events_by_id", "run_events", ["project_id", "id"])
    op.create_index("run_events_by_time", "run_events", ["project_id", "ts"])
    for name in ("stage", "severity", "reason_code", "actor"):
        op.create_index(f"run_events_by_{name}", "run_events", ["project_id", name, "id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER run_events_searchable")
        op.execute("DROP TABLE event_search_state")
        op.execute("DROP TABLE event_search")
    else:
        for name in ("words", "by_id", "by_time", "by_stage", "by_severity", "by_reason_code", "by_actor"):
            op.drop_index(f"run_events_{name}", "run_events")
        op.execute("DROP FUNCTION event_words(text, text, text, text, text)")
    op.drop_index("run_events_by_parent", "run_events")
    op.drop_index("run_events_by_run", "run_events")
    op.drop_table("saved_filters")
    op.drop_index("audit_entries_by_run", "audit_entries")
    op.drop_index("audit_entries_by_project", "audit_entries")
    op.drop_column("audit_entries", "request_id")
    op.drop_column("audit_entries", "face")
