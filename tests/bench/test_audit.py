"""The bench of the audit spine does at a few thousand events what it does at a million."""

import pytest
from sqlalchemy import func, select

from bench import audit
from bench.audit_store import PROJECT, build
from brewslm.audit import verify
from brewslm.observe.timeline import timeline
from brewslm.store.database import reading
from brewslm.store.tables import RunEvent

MANY = 2_500


@pytest.fixture
def store(home) -> int:
    build(MANY)
    return MANY


def test_the_store_is_a_true_chain_of_many_kinds(store):
    with reading() as session:
        assert verify(session) == (MANY, [])
        codes = dict(session.execute(select(RunEvent.reason_code, func.count()).group_by(RunEvent.reason_code)).tuples().all())
        failed = session.scalar(select(func.count()).where(RunEvent.severity == "error")) or 0
    assert len(codes) >= 10 and 0.03 < failed / MANY < 0.15
    assert any(tree.parts for tree in timeline(PROJECT).trees)


def test_each_reading_is_timed_and_finds_something(store, monkeypatch):
    monkeypatch.setattr(audit, "PLACES", 2)
    for figures in (audit.pages(store), audit.trees(store), audit.searches(store), audit.live(store)):
        assert 0 < figures["median_ms"] <= figures["p95_ms"] <= figures["max_ms"]
        assert figures["asked"] >= 4 * len(figures["by"]) or figures["asked"] == 50
    from brewslm.audit.filters import EventFilter
    from brewslm.observe.events import events

    for name, wanted in audit.filters(store).items():
        assert (
            bool(events(wanted=EventFilter(project=PROJECT, **wanted))) == (name not in ("nothing", "all at once"))
            or name == "all at once"
        )


def test_the_figures_of_a_spread():
    assert audit.spread([float(n) for n in range(1, 101)]) == {"median_ms": 50.5, "p95_ms": 96.0, "max_ms": 100.0}
