import csv
import io
import re
import tracemalloc
from datetime import datetime

import orjson
import pyarrow.parquet as pq
import pytest

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.errors import StageError
from brewslm.observe import audit_export
from brewslm.observe.audit_export import exported
from brewslm.observe.events import LONGEST_PAGE, events
from brewslm.pipeline.execute import queue
from brewslm.stages.clean import CleanRequest
from brewslm.store.tables import RunEvent
from tests.observe.stream import write

REQUIRED = ("id", "source", "specversion", "type")
"""Of CloudEvents 1.0 §3.1."""
ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
"""Names of context attributes: §3.1.1."""


@pytest.fixture
def stream(project, monkeypatch) -> int:
    monkeypatch.setattr(audit_export, "BATCH", 4)
    write(project, [{"run": f"exp-{n % 3}" if n % 4 else None, "payload": {"n": n, "error": f"=1+{n}"}} for n in range(10)])
    write(0, [{"code": "extension_load_failed", "stage": "system", "severity": "warning"}])
    return project


def whole(wanted, format: str) -> bytes:
    return b"".join(exported(wanted, format))


def test_json_lines_hold_every_event_so_that_the_chain_can_be_recomputed(stream):
    from brewslm.audit.chain import canonical, link

    lines = [orjson.loads(line) for line in whole(EventFilter(project=stream), "jsonl").splitlines()]
    assert [line["sequence"] for line in lines] == list(range(1, 11))
    previous = "0" * 64
    for line in lines:
        stored = line | {"project_id": line["project"], "payload": canonical(line["payload"])}
        fields = {column.name: stored[column.name] for column in RunEvent.__table__.columns if column.name in stored}
        assert (line["previous_hash"], line["hash"]) == (previous, link(RunEvent(**fields)))
        previous = line["hash"]
    assert len(whole(EventFilter(), "jsonl").splitlines()) == 11


def test_the_filter_of_an_export_is_that_of_the_timeline(stream):
    wanted = EventFilter(project=stream, run="exp-1")
    ids = [orjson.loads(line)["id"] for line in whole(wanted, "jsonl").splitlines()]
    assert ids == [one.id for one in events(wanted=wanted, after=0, limit=LONGEST_PAGE)] and ids


def test_a_spreadsheet_takes_no_cell_for_a_formula(stream):
    write(stream, [{"actor": name, "payload": {"x": 1}} for name in ("=cmd()", "+1", "-1", "@sum", "\tx", "\rx")])
    rows = list(csv.DictReader(io.StringIO(whole(EventFilter(project=stream), "csv").decode(), newline="")))
    assert len(rows) == 16 and [row["id"] for row in rows[:2]] == ["1", "2"]
    assert orjson.loads(rows[1]["payload"]) == {"n": 1, "error": "=1+1"}
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.values())
    assert [row["actor"] for row in rows[-6:]] == ["'=cmd()", "'+1", "'-1", "'@sum", "'\tx", "'\rx"]


def test_parquet_has_a_row_group_a_page_and_the_same_values(stream):
    file = pq.ParquetFile(io.BytesIO(whole(EventFilter(project=stream), "parquet")))
    rows = file.read().to_pylist()
    lines = [orjson.loads(line) for line in whole(EventFilter(project=stream), "jsonl").splitlines()]
    assert [row | {"payload": orjson.loads(row["payload"])} for row in rows] == lines
    assert file.num_row_groups == 3
    assert pq.read_table(io.BytesIO(whole(EventFilter(project=stream, code="none"), "parquet"))).num_rows == 0


@pytest.mark.parametrize("of", ["events", "calls"])
def test_cloudevents_keep_to_the_specification(stream, of):
    queue("api", CleanRequest(project=stream))
    found = orjson.loads(whole(EventFilter() if of == "events" else CallFilter(), "cloudevents"))
    assert len(found) == (11 if of == "events" else 2)
    assert len({(one["source"], one["id"]) for one in found}) == len(found)
    for one in found:
        assert all(isinstance(one[name], str) and one[name] for name in REQUIRED)
        assert one["specversion"] == "1.0" and one["datacontenttype"] == "application/json"
        assert datetime.fromisoformat(one["time"]).tzinfo is not None
        for name, value in one.items():
            assert name == "data" or (ATTRIBUTE.fullmatch(name) and isinstance(value, str | int | bool))
            assert not isinstance(value, int) or -(2**31) <= value < 2**31
    assert orjson.loads(whole(EventFilter(code="none"), "cloudevents")) == []
    if of == "events":
        assert found[1]["data"] == {"n": 1, "error": "=1+1"} and found[1]["subject"] == "exp-1"
        assert found[1]["type"] == "brewslm.event.training_completed" and "subject" not in found[0]


@pytest.mark.parametrize("format", audit_export.MEDIA_TYPES)
def test_calls_are_exported_in_each_format(project, format):
    queue("api", CleanRequest(project=project))
    made = whole(CallFilter(operation="clean.run"), format)
    assert b"clean" in made or format == "parquet"
    if format == "parquet":
        assert pq.read_table(io.BytesIO(made)).to_pylist()[0]["operation"] == "clean.run"


def test_an_export_ends_at_what_was_there_when_it_began(stream):
    pieces = exported(EventFilter(project=stream), "jsonl")
    first = next(pieces)
    write(stream, [{} for _ in range(9)])
    assert len((first + b"".join(pieces)).splitlines()) == 10


def test_a_project_that_is_not_there_is_refused_before_the_first_piece():
    with pytest.raises(StageError):
        exported(EventFilter(project=9), "csv")


@pytest.mark.parametrize("format", audit_export.MEDIA_TYPES)
def test_memory_does_not_grow_with_the_events(project, format, monkeypatch):
    monkeypatch.setattr(audit_export, "BATCH", 50)

    def peak() -> int:
        tracemalloc.start()
        for _ in exported(EventFilter(project=project), format):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    write(project, [{"payload": {"text": "x" * 2_000}} for _ in range(100)])
    peak()
    few = peak()
    write(project, [{"payload": {"text": "x" * 2_000}} for _ in range(900)])
    assert peak() < 2 * few
