"""Whatever is asked, the index finds what reading every event would find."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from brewslm.audit.filters import EventFilter, phrases
from brewslm.errors import StageError
from brewslm.observe.event_index import find, fits, spans_of
from brewslm.observe.events import event, events
from brewslm.store.database import reading, transaction
from brewslm.store.tables import RunEvent
from tests.observe.stream import START, write

MANY = 700
"""Several batches of the index, and some events that wait for the next."""


@pytest.fixture
def stream(project) -> int:
    chance = random.Random(3)
    made = []
    for number in range(MANY):
        stage, code, severity = chance.choice(
            [
                ("training", "training_completed", "info"),
                ("training", "training_oom", "error"),
                ("eval", "gate_failed", "warning"),
            ]
        )
        payload = {
            "error": chance.choice(["CUDA out of memory", "Größe 12 überschritten", "no space left", ""]),
            "count": chance.choice([7, 1234, 12]), "loss": 0.25, "ok": True,
            "nested": {"rows": [{"name": chance.choice(["first_row", "second-row"])}]},
        }  # fmt: skip
        made.append(
            {
                "stage": stage, "code": code, "severity": severity, "payload": payload, "run": f"exp-{number // 40}",
                "parent": "autopilot-1" if number % 3 == 0 else None, "actor": chance.choice(["cli:ana", "api"]),
                "at": START + timedelta(minutes=11 * number - (500 if number % 50 == 0 else 0)),
            }
        )  # fmt: skip
    write(project, made)
    write(0, [{"code": "extension_load_failed", "stage": "system"}])
    return project


FILTERS = {
    "all": {},
    "run": {"run": "exp-3"},
    "parent": {"run": "autopilot-1"},
    "stage": {"stage": "eval"},
    "severity": {"severity": "error"},
    "code": {"code": "training_oom"},
    "code that is not there": {"code": "training"},
    "actor": {"actor": "api"},
    "since": {"since": START + timedelta(days=3, seconds=30)},
    "until": {"until": START + timedelta(hours=30, minutes=2)},
    "between": {"since": START + timedelta(minutes=200), "until": START + timedelta(days=4, minutes=7)},
    "nothing between": {"since": START + timedelta(days=4), "until": START},
    "word": {"text": "memory"},
    "words": {"text": "CUDA exp 3"},
    "phrase": {"text": "exp-3"},
    "quoted": {"text": '"out of memory" oom'},
    "beginning": {"text": "tra* secon*"},
    "umlaut": {"text": "grösse"},
    "other umlaut": {"text": "GRÖße"},
    "number": {"text": "1234"},
    "actor's word": {"text": "ana"},
    "a key is no value": {"text": "nested"},
    "values do not join": {"text": '"12 cuda"'},
    "hostile": {"text": 'memory" OR "x'},
    "all at once": {
        "stage": "training",
        "severity": "error",
        "actor": "api",
        "since": START + timedelta(hours=9),
        "text": "space",
    },
}


@pytest.mark.parametrize("name", FILTERS)
def test_the_index_finds_what_reading_every_event_finds(stream, name):
    wanted = EventFilter(project=stream, **FILTERS[name])
    with reading() as session:
        every = list(session.scalars(select(RunEvent).order_by(RunEvent.id)))
        expected = [one.id for one in every if fits(one, wanted)]
        assert [one.id for one in find(session, wanted, limit=10_000)] == expected[::-1]
        assert [one.id for one in find(session, wanted, after=0, limit=10_000)] == expected
        forth, back = [], []
        while page := find(session, wanted, after=forth[-1] if forth else 0, limit=37):
            forth += [one.id for one in page]
        while page := find(session, wanted, before=back[-1] if back else None, limit=37):
            back += [one.id for one in page]
        assert forth == back[::-1] == expected
        assert [one.id for one in find(session, wanted, after=300, before=500, limit=9)] == [
            n for n in expected if 300 < n < 500
        ][:9]
    if name in ("code that is not there", "a key is no value", "values do not join", "nothing between", "umlaut"):
        assert expected == []
    elif name != "hostile":
        assert expected


def test_the_newest_events_are_found_before_the_index_has_them(stream):
    with reading() as session:
        waiting = MANY + 1 - (session.scalar(text("SELECT indexed FROM event_search_state")) or 0)
    assert 0 < waiting < 128
    (newest,) = write(stream, [{"payload": {"error": "quite unheard of"}}])
    assert [one.id for one in events(wanted=EventFilter(text="unheard"))] == [newest]


def test_an_event_that_was_tampered_with_breaks_neither_the_index_nor_a_page(project):
    write(project, [{"payload": {"n": number}} for number in range(100)])
    with transaction() as session:
        for name in session.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%append-only%'")).scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE run_events SET payload = '{broken' WHERE id = 50"))
    ids = write(project, [{"payload": {"n": number}} for number in range(100, 200)])
    assert len(ids) == 100 and len(events(wanted=EventFilter(project=project, code="training_completed"), limit=500)) == 200
    assert event(50).payload == {"unreadable": "{broken"}


def test_an_event_that_came_late_is_found_at_its_true_time(project):
    write(project, [{} for _ in range(200)])
    (late,) = write(project, [{"at": START + timedelta(minutes=30), "payload": {"n": 1}}])
    write(project, [{} for _ in range(200)])
    wanted = EventFilter(project=project, since=START + timedelta(minutes=30), until=START + timedelta(minutes=31))
    assert [one.id for one in events(wanted=wanted)] == [30, late]


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-01-31T22:17:30", "2026-01-31T22:17:40"),
        ("2026-01-31T22:17", "2028-03-01T00:01"),
        ("2025-12-31T23:59", "2026-01-01"),
        ("1969-01-01", "2200-01-01"),
    ],
)
def test_spans_cover_a_time_once(since, until):
    start, end = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (since, until))
    spans = spans_of(start, end)
    assert len(spans) == len(set(spans)) < 300
    at = max(start, datetime(1970, 1, 1, tzinfo=UTC))
    chance = random.Random(1)
    for _ in range(300):
        moment = at + (min(end, datetime(2099, 1, 1, tzinfo=UTC)) - at) * chance.random()
        stamp = moment.isoformat(timespec="milliseconds")
        assert sum(stamp.startswith(span) for _, span in spans) == 1


def test_what_holds_no_word_is_refused():
    with pytest.raises(ValueError, match="no word"):
        EventFilter(text="--- !")
    assert phrases('oom* "no space" exp-1')[2].words == ["exp", "1"] and phrases(" ") == []


def test_an_event_that_is_not_there_is_refused():
    with pytest.raises(StageError) as refused:
        event(7)
    assert refused.value.reason.code == "unknown_event"
