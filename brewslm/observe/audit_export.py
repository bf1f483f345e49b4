"""Events and calls as a file: JSON lines, CSV, Parquet, CloudEvents; written as they are read, a page at a time.

What is written down while an export runs is not in it: it ends at what was there when it began.
"""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Literal

import orjson
from sqlalchemy import func, select

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.observe.event_index import find, payload_of
from brewslm.observe.explorer import page_of_calls
from brewslm.observe.following import newest
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import AuditEntry, RunEvent

Format = Literal["jsonl", "csv", "parquet", "cloudevents"]
MEDIA_TYPES: dict[Format, str] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "cloudevents": "application/cloudevents-batch+json",
}
BATCH = 2_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
Record = dict[str, Any]
EVENT_FIELDS = (
    "id", "project", "sequence", "ts", "written_at", "stage", "severity", "reason_code", "run_id", "parent_run_id", "actor",
    "payload", "previous_hash", "hash",
)  # fmt: skip
CALL_FIELDS = (
    "id", "ts", "actor", "face", "request_id", "operation", "project", "run_id", "outcome", "run_state", "problem", "ended_at",
)  # fmt: skip
_NUMBERS = ("id", "project", "sequence")


def exported(wanted: EventFilter | CallFilter, format: Format) -> Iterator[bytes]:
    """The file's bytes, oldest first, a piece at a time.

    Raises:
        StageError(UnknownProject): There is none of this number; before the first piece.
    """
    with reading() as session:
        if wanted.project:
            project_of(session, wanted.project)
        end = newest(session) if isinstance(wanted, EventFilter) else session.scalar(select(func.max(AuditEntry.id))) or 0
    if isinstance(wanted, EventFilter):
        return _FORMATS[format](_events(wanted, end), EVENT_FIELDS)
    return _FORMATS[format](_calls(wanted, end), CALL_FIELDS)


def _events(wanted: EventFilter, end: int) -> Iterator[list[Record]]:
    """Pages of records, each read on its own: a slow reader must not hold the database."""
    seen = 0
    while True:
        with reading() as session:
            page = [_event(event) for event in find(session, wanted, after=seen, before=end + 1, limit=BATCH)]
        yield page
        if len(page) < BATCH:
            return
        seen = page[-1]["id"]


def _event(event: RunEvent) -> Record:
    plain = {name: getattr(event, name, None) for name in EVENT_FIELDS if name not in ("project", "payload")}
    record = plain | {"project": event.project_id, "payload": payload_of(event)}
    return {name: record[name] for name in EVENT_FIELDS}


def _calls(wanted: CallFilter, end: int) -> Iterator[list[Record]]:
    seen = 0
    while True:
        with reading() as session:
            page = [
                view.model_dump(mode="json") for view in page_of_calls(session, wanted, after=seen, before=end + 1, limit=BATCH)
            ]
        yield page
        if len(page) < BATCH:
            return
        seen = page[-1]["id"]


def _jsonl(pages: Iterator[list[Record]], _fields: tuple[str, ...]) -> Iterator[bytes]:
    for page in pages:
        yield b"".join(orjson.dumps(record) + b"\n" for record in page)


def _csv(pages: Iterator[list[Record]], fields: tuple[str, ...]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for page in chain(([dict(zip(fields, fields, strict=True))],), pages):
        writer.writerows([_cell(record[name]) for name in fields] for record in page)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe before it."""
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


class _Sink(io.RawIOBase):
    """What was written since it was last taken; it knows how much there was before."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _parquet(pages: Iterator[list[Record]], fields: tuple[str, ...]) -> Iterator[bytes]:
    """Times and payloads as texts: as they were hashed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.int64() if name in _NUMBERS else pa.string()) for name in fields])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for page in pages:
            if page:
                columns = {name: [_plain(record[name]) for record in page] for name in fields}
                writer.write_table(pa.table(columns, schema=schema))
            yield sink.take()
    yield sink.take()


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def _cloudevents(pages: Iterator[list[Record]], fields: tuple[str, ...]) -> Iterator[bytes]:
    """A batch of CloudEvents 1.0 in JSON: an array of envelopes."""
    envelope = cloud_event if fields is EVENT_FIELDS else cloud_call
    lead = b"[\n"
    for page in pages:
        for record in page:
            yield lead + orjson.dumps(envelope(record))
            lead = b",\n"
    yield b"\n]\n" if lead == b",\n" else b"[]\n"


def cloud_event(record: Record) -> Record:
    """An event's envelope. Its hash is its id: it is of one event alone, in whichever database."""
    found = {
        "specversion": "1.0",
        "id": record["hash"],
        "source": f"urn:brewslm:project:{record['project']}",
        "type": f"brewslm.event.{record['reason_code']}",
        "time": record["ts"],
        "subject": record["run_id"],
        "datacontenttype": "application/json",
        "stage": record["stage"],
        "severity": record["severity"],
        "actor": record["actor"],
        "parentrun": record["parent_run_id"],
        "chainsequence": record["sequence"],
        "previoushash": record["previous_hash"],
        "data": record["payload"],
    }
    return {name: value for name, value in found.items() if value is not None}


def cloud_call(record: Record) -> Record:
    """A call's envelope."""
    found = {
        "specversion": "1.0",
        "id": f"call-{record['id']}",
        "source": "urn:brewslm:audit",
        "type": f"brewslm.call.{record['operation']}",
        "time": record["ts"],
        "subject": record["run_id"],
        "datacontenttype": "application/json",
        "actor": record["actor"],
        "face": record["face"],
        "requestid": record["request_id"] or None,
        "data": {name: record[name] for name in ("operation", "project", "outcome", "run_state", "problem", "ended_at")},
    }
    return {name: value for name, value in found.items() if value is not None}


_FORMATS: dict[Format, Callable[[Iterator[list[Record]], tuple[str, ...]], Iterator[bytes]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
    "cloudevents": _cloudevents,
}
