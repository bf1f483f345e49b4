"""The second pass of prepare: every row is written where it was decided to go."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brewslm.processes.context import Context
from brewslm.rows import Ledger, LedgerKeeper, RowFile
from brewslm.rows.manifest import OutputSchema, PreparedFile, SplitFile
from brewslm.stages.prepare.adapters import AdapterPreset
from brewslm.stages.prepare.candidates import Candidates
from brewslm.stages.prepare.decide import PLACES, Decision
from brewslm.stages.prepare.schema import SchemaSeen
from brewslm.stages.prepare.survey import REASONS
from brewslm.store.files import sha256

_NAMES = {code: name for name, code in PLACES.items()}


@dataclass
class Written:
    """What stands on disk.

    Attributes:
        schema: The labels and types of train: a model can't learn what it is not shown.
        labels: Rows by label, of each split.
        origins: Imports that rows came from.
    """

    ledger: Ledger
    schema: OutputSchema
    labels: dict[str, dict[str, int]]
    origins: set[str]
    splits: dict[str, SplitFile]
    rejected: list[PreparedFile]


@dataclass
class _Tally:
    schema: SchemaSeen
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)


def write(folder: Path, candidates: Candidates, preset: AdapterPreset, decision: Decision, context: Context) -> Written:
    """Write train.jsonl (dev inside), eval.jsonl, gold.jsonl where there are gold rows, and rejected.jsonl.

    Args:
        folder: Of the version; it is filled while nobody sees it.
    """
    keeper, tally = LedgerKeeper(), _Tally(SchemaSeen(preset))
    names = ["train", "eval", *(["gold"] if decision.counts().get("gold") else [])]
    with ExitStack() as stack:
        files = {name: stack.enter_context(RowFile(folder / f"{name}.jsonl").append(0)) for name in (*names, "rejected")}
        rows = zip(candidates, decision.places.tolist(), decision.reasons.tolist(), strict=True)
        for one, place, reason in context.track(rows, len(decision.places), "rows"):
            keeper.enter()
            if place not in _NAMES:
                keeper.reject(REASONS[reason])
                files["rejected"].write({"row_id": one.row_id, "reason": REASONS[reason].value})
                continue
            keeper.accept()
            split = _NAMES[place]
            _count(tally, split, one.adapted, one.origin, preset)
            line: dict[str, Any] = {"row_id": one.row_id, "payload": one.adapted}
            files["train" if split == "dev" else split].write(line | ({"slice": "dev"} if split == "dev" else {}))
        lengths = {name: files[name].count for name in names}
    return Written(
        keeper.closed(), tally.schema.schema(), {split: dict(found) for split, found in tally.labels.items()}, tally.origins,
        {name: _split_file(folder, name, rows) for name, rows in lengths.items()},
        [file_of(folder, "rejected.jsonl"), file_of(folder, "rejected.jsonl.index")],
    )  # fmt: skip


def _count(tally: _Tally, split: str, adapted: dict[str, Any], origin: str, preset: AdapterPreset) -> None:
    tally.origins.add(origin)
    if preset.stratify_by:
        tally.labels.setdefault(split, Counter())[preset.stratum(adapted)] += 1
    if split in ("train", "dev"):
        tally.schema.take(adapted)


def file_of(folder: Path, name: str) -> PreparedFile:
    """A file of the version, with its hash."""
    path = folder / name
    return PreparedFile(path=name, sha256=sha256(path), size_bytes=path.stat().st_size)


def _split_file(folder: Path, name: str, rows: int) -> SplitFile:
    lines = file_of(folder, f"{name}.jsonl")
    return SplitFile(**lines.model_dump(), rows=rows, index=file_of(folder, f"{name}.jsonl.index"))
