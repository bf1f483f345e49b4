"""The one loop of stages 3 and 4: every row of the source goes to the accepted or to the rejected rows."""

import random
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress, islice
from operator import attrgetter, not_
from pathlib import Path
from typing import Any

import orjson

from brewslm.errors import StageError
from brewslm.mappers import Mapper, mapper_of
from brewslm.media import MediaFolder
from brewslm.processes.context import Context
from brewslm.reasons.refusals import SourceChanged
from brewslm.rows import Ledger, LedgerKeeper, RawRow, RejectedRow, RowBlock, RowFile, RowReason, SentinelRow, row_id
from brewslm.rows.contentkeys import ContentKeys
from brewslm.rows.dryrun import AcceptedRows, RejectedRows
from brewslm.rows.identity import KEY_BYTES, canonical, id_parts, source_key
from brewslm.rows.model import TransformedRows
from brewslm.sources import CONNECTORS
from brewslm.sources.base import BLOCK_ROWS, blocks_of
from brewslm.stages.mapping.job import EarlierImport, MapJob
from brewslm.stages.mapping.media_files import with_media
from brewslm.store.files import sha256 as file_sha256

SAMPLE_SEED = 42
MOST_LABELS = 1000


def checked_mapper(job: MapJob) -> Mapper:
    """The job's mapper, once source and columns are known to be right: before any file is opened for writing.

    Raises:
        StageError(SourceChanged): The kept copy is gone, or not what was ingested.
        StageError(ColumnMissing): The field map names a column that the source does not have.
    """
    mapper = mapper_of(job.request.mapper, job.request.field_map)
    found = file_sha256(job.source_path) if job.source_path.exists() else None
    if found != (job.kept_sha256 or job.content_hash):
        cause = "it is gone" if found is None else "its SHA-256 differs"
        raise StageError(SourceChanged(), where=f"sources/{job.source_path.name}", cause=cause)
    mapper.check_columns(CONNECTORS[job.scheme].columns(job.source_path))
    return mapper


@dataclass
class Mapped:
    """What came of a mapping.

    Attributes:
        labels: Of a classification, each accepted label and its rows; the first thousand labels.
    """

    ledger: Ledger
    labels: Counter[str]

    def notes(self) -> list[str]:
        """What a person should know before going on."""
        if len(self.labels) != 1:
            return []
        (label,) = self.labels
        return [f"only one label came in, {label!r}: nothing can be told apart from it, and preflight will stop training"]


def map_rows(
    job: MapJob, mapper: Mapper, context: Context, accepted: AcceptedRows, rejected: RejectedRows, keys: Path, media: MediaFolder
) -> Mapped:
    """Map the kept source, each row to one of two places.

    Args:
        accepted, rejected: Row files to append to, or what samples in their place.
        keys: The file for the content hashes of the rows that are accepted.
        media: Where the rows' pictures and recordings are kept, before the rows are written.
    """
    shown, done = 0.0, 0
    with ContentKeys(keys, [_whole_keys(job, one, keys.parent) for one in job.earlier]) as known:
        intake = _Intake(job, mapper, accepted, rejected, known, media)
        for block in drawn(job):
            intake.take(block)
            done += len(block)
            if time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                context.check()
                context.progress(done, job.total, "rows")
    context.progress(done, job.total, "rows")
    return Mapped(intake.ledger.closed(), intake.labels)


def drawn(job: MapJob) -> Iterator[RowBlock]:
    """The rows that are mapped: all, or as many as were asked for, drawn from the whole source where it is kept whole."""
    connector = CONNECTORS[job.scheme]
    if job.drawn == "all":
        return connector.blocks(job.source_path)
    rows = connector.rows(job.source_path)
    return blocks_of(islice(rows, job.total) if job.drawn == "head" else sampled(rows, job.total, job.source_rows))


def sampled(rows: Iterator[RawRow | SentinelRow], wanted: int, total: int) -> Iterator[RawRow | SentinelRow]:
    """Exactly `wanted` of `total` rows, in their order, any set of them as likely as any other; the same at each call.

    One pass: a row is taken with the chance of the rows still wanted among those still to come (Knuth, The Art of Computer
    Programming 3.4.2, Algorithm S).
    """
    chance = random.Random(SAMPLE_SEED)
    for left, row in zip(range(total, 0, -1), rows, strict=False):
        if chance.random() * left < wanted:
            wanted -= 1
            yield row
        if not wanted:
            return


class _Intake:
    """Settles blocks: what is new is written to the accepted rows, all else to the rejected ones."""

    def __init__(
        self, job: MapJob, mapper: Mapper, accepted: AcceptedRows, rejected: RejectedRows, known: ContentKeys, media: MediaFolder
    ) -> None:
        self.ledger, self.labels = LedgerKeeper(), Counter[str]()
        self._accepted, self._rejected, self._known = accepted, rejected, known
        self._mapper, self._media = mapper, media
        self._counts_labels = mapper.task_profile == "classification"
        self._source_hash = job.content_hash
        self._forgotten, self._forgotten_contents = frozenset(job.forgotten), frozenset(job.forgotten_contents)
        self._source, _ = id_parts(row_id(job.content_hash, 0))
        self._present = RowFile(job.synthetic).index.positions(source_key(self._source), job.spans)
        profile, name, run = (orjson.dumps(one) for one in (mapper.task_profile, mapper.id, job.run_id))
        # A line is put together from what is the same in all of them: to dump it anew takes twice as long.
        self._head = b'{"row_id":"%b-' % self._source.encode()
        self._middle = b'","task_profile":%b,"payload":' % profile
        self._after = b',"source_id":%d,"position":' % job.source_id
        self._tail = b',"mapper":%b,"import_run":%b' % (name, run)

    def take(self, block: RowBlock) -> None:
        """Write a block, in the order of the source."""
        self.ledger.enter(len(block))
        block, gone = without(block, self._forgotten) if self._forgotten else (block, [])
        rows, refused = self._mapper.map_block(block)
        refused += [forgotten_row(position) for position in gone]
        if self._mapper.media:
            rows, refused = with_media(self._mapper.media, rows, refused, self._media)
        said = [canonical(payload) for payload in rows.payloads]
        if self._forgotten_contents:
            rows, said = self._unknown(rows, said, refused)
        new = self._new(rows.positions, said)
        if not all(new) or gone:
            refused += [_duplicate(*one) for one in compress(zip(rows.positions, rows.raw, strict=True), map(not_, new))]
            refused.sort(key=attrgetter("position"))
            rows, said = rows.only(new), list(compress(said, new))
        self._accepted.write_lines(self._lines(rows, said), self._source, rows.positions)
        self.ledger.accept(len(rows.positions))
        for one in refused:
            self.ledger.reject(one.reason)
            self._rejected.write(_rejected_line(self._source_hash, one))
        if self._counts_labels and len(self.labels) < MOST_LABELS:
            self.labels.update([payload["label"] for payload in rows.payloads if "label" in payload])
            self.labels.update([label for payload in rows.payloads if "labels" in payload for label in payload["labels"]])

    def _unknown(
        self, rows: TransformedRows, said: list[bytes], refused: list[RejectedRow]
    ) -> tuple[TransformedRows, list[bytes]]:  # fmt: skip
        """The rows that do not say what a forgotten one said; the others are refused, and nothing of them is kept."""
        known = [sha256(one).digest()[:KEY_BYTES].hex() in self._forgotten_contents for one in said]
        if any(known):
            refused += map(forgotten_row, compress(rows.positions, known))
            refused.sort(key=attrgetter("position"))
            rows, said = rows.only([not one for one in known]), [one for one, gone in zip(said, known, strict=True) if not gone]
        return rows, said

    def _new(self, positions: list[int], said: list[bytes]) -> list[bool]:
        """Which mapped rows say what no row of the project says, and are not in it themselves (mapped in another way)."""
        import numpy as np

        digests = [sha256(one).digest() for one in said]
        if not self._present or not digests:
            return self._known.take(digests)
        absent = ~self._present.has(np.array(positions, "<u8"))
        absent[absent] = self._known.take(list(compress(digests, absent)))
        return absent.tolist()  # type: ignore[no-any-return]

    def _lines(self, rows: TransformedRows, said: list[bytes]) -> list[bytes]:
        head, middle, after = self._head, self._middle, self._after
        end = self._tail + b"}\n"
        ends = [self._tail + b',"parent":%b}\n' % orjson.dumps(one) if one else end for one in rows.parents]
        parts = zip([b"%d" % position for position in rows.positions], said, ends, strict=True)
        return [b"".join((head, at, middle, one, after, at, end)) for at, one, end in parts]


def without(block: RowBlock, gone: Collection[int]) -> tuple[RowBlock, list[int]]:
    """A block without the rows at some positions, and which of those it had."""
    if not any(position in gone for position in (*block.positions, *(one.position for one in block.sentinels))):
        return block, []
    left, had = RowBlock(), []
    for row in block.rows():
        if row.position in gone:
            had.append(row.position)
        else:
            left.add(row)
    return left, had


def forgotten_row(position: int) -> RejectedRow:
    """What stands for a row that is not taken in again."""
    return RejectedRow(position, RowReason.FORGOTTEN, "", {})


def _duplicate(position: int, raw: dict[str, Any]) -> RejectedRow:
    return RejectedRow(position, RowReason.DUPLICATE_ROW, "the project has this row already", raw)


def _rejected_line(source_hash: str, row: RejectedRow) -> dict[str, Any]:
    return {
        "row_id": row_id(source_hash, row.position),
        "position": row.position,
        "reason": row.reason.value,
        "detail": row.detail,
        "raw": row.raw,
    }


def _whole_keys(job: MapJob, earlier: EarlierImport, folder: Path) -> Path:
    """The content hashes of an earlier import's rows; made again from its rows where the file is not whole."""
    if earlier.keys.exists() and earlier.keys.stat().st_size == KEY_BYTES * earlier.rows:
        return earlier.keys
    path = folder / earlier.keys.name
    rows = RowFile(job.synthetic).rows([earlier.span])
    with ContentKeys(path, ()) as keys:
        while said := [canonical(row["payload"]) for row in islice(rows, BLOCK_ROWS)]:
            keys.take([sha256(one).digest() for one in said])
    return path
