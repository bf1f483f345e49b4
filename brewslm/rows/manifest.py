"""The data manifest: the one source of truth for everything after prepare. Rows are read through it, and it verifies them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.reasons.refusals import NotPrepared
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.ledger import Ledger
from brewslm.rows.splitting import SplitPolicy
from brewslm.store.files import read_json, sha256

SCHEMA = "brewslm/data-manifest/2"
_FILE = frozenset({"path", "sha256", "bytes"})
"""What a payload's value holds that is a kept picture or recording."""


class OutputSchema(BaseModel):
    """What a right answer looks like.

    Attributes:
        scoring_mode: "label", "text", "span_set" and others: the handler reads it.
        labels: Every label of the train split, sorted; for classification.
        entity_types: Every entity type of the train split, sorted; for span_set.
        fields: Every field of the train split, in the order in which rows name them; for field_match.
    """

    model_config = ConfigDict(frozen=True)

    scoring_mode: str
    labels: list[str] = []
    entity_types: list[str] = []
    fields: list[str] = []


class PreparedFile(BaseModel):
    """One file of a manifest; `path` is relative to the manifest's folder."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str
    size_bytes: int


class SplitFile(PreparedFile):
    """The rows of a split; `index` is where each row_id stands in it (brewslm/rows/rowindex.py)."""

    rows: int
    index: PreparedFile | None = None


class MeasuredFor(BaseModel):
    """The base model in whose tokens the rows were measured.

    Attributes:
        max_tokens: No row is longer, asked and answered as in training.
    """

    model_config = ConfigDict(frozen=True)

    locator: str
    tokenizer_sha256: str
    template_sha256: str
    max_tokens: int


class Leakage(BaseModel):
    """What was measured on the written files: both must be zero.

    Attributes:
        equal_texts: Rows of train (dev inside) whose text stands in eval or gold too.
        near_duplicates: Rows of train that nearly equal one there.
        jaccard: From this similarity on a row is a near-duplicate.
        rows_compared: Rows of train that were held against the others.
    """

    model_config = ConfigDict(frozen=True)

    equal_texts: int
    near_duplicates: int
    jaccard: float
    rows_compared: int


class PiiReport(BaseModel):
    """Personal data in the rows that were kept: rows by type."""

    model_config = ConfigDict(frozen=True)

    policy: str
    findings: dict[str, int]


class Forgotten(BaseModel):
    """Rows whose text was removed from a frozen file after it was frozen.

    Attributes:
        former_sha256: Of the manifest as it was before.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    row_ids: list[str]
    former_sha256: str


class Manifest(BaseModel):
    """`manifest.json`.

    Attributes:
        task_profile: Such as "classification": it names the handler.
        splits: "train" and "eval"; "gold" where there are gold rows. The dev slice is inside train: its lines say so.
        rows: Of train (without dev), dev, eval and gold.
        continued: The version whose split went on here; None where it was drawn anew.
        imports: Ids of the imports (and "clean") that the rows came from.
        files: Every other file of the version.
        forgotten: Rows that were removed since: their lines stand empty, and count as rejected.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["brewslm/data-manifest/2"] = "brewslm/data-manifest/2"
    project: int
    version: int
    created_at: str
    seed: int
    task_profile: str
    adapter_preset: str
    output_schema: OutputSchema
    base_model: MeasuredFor
    split: SplitPolicy
    continued: int | None = None
    splits: dict[str, SplitFile]
    rows: dict[str, int]
    imports: list[str]
    leakage: Leakage
    pii: PiiReport
    ledger: Ledger
    files: list[PreparedFile] = []
    forgotten: list[Forgotten] = []

    def all_files(self) -> Iterator[PreparedFile]:
        """Every file that the manifest answers for."""
        for split in self.splits.values():
            yield split
            if split.index is not None:
                yield split.index
        yield from self.files


class PreparedRow(BaseModel):
    """One line of train.jsonl, eval.jsonl or gold.jsonl.

    Attributes:
        slice: "dev" for rows of train that choose checkpoints and are not trained on.
    """

    model_config = ConfigDict(frozen=True)

    row_id: str
    payload: dict[str, Any]
    slice: Literal["dev"] | None = None


def located(row: PreparedRow, folder: Path, check: Callable[[Path, str], None] | None = None) -> PreparedRow:
    """The row with the whole paths of its pictures and recordings: whoever reads it need not know where the project stands.

    Their content is held against its hash when it is read; here, that they are there.

    Args:
        folder: The project's.
        check: Called with the path and the hash of a file that is not there, or not of its size.
    """
    files = {name: value for name, value in row.payload.items() if isinstance(value, dict) and value.keys() >= _FILE}
    if not files:
        return row
    found = {}
    for name, value in files.items():
        path = folder / value["path"]
        if check and (not path.is_file() or path.stat().st_size != value["bytes"]):
            check(path, value["sha256"])
        found[name] = value | {"path": str(path)}
    return row.model_copy(update={"payload": row.payload | found})


def why_differs(manifest: Path, expected: str) -> str:
    """Why a file has another hash: a row of it was forgotten since, or nobody knows.

    Args:
        manifest: A manifest.json or gold.json; any other file says nothing of itself.
        expected: The hash that it had once.
    """
    try:
        known = read_json(manifest).get("forgotten", []) if manifest.suffix == ".json" else []
    except (OSError, ValueError, AttributeError):
        known = []
    run = next((one["run_id"] for one in known if one["former_sha256"] == expected), None)
    return f"a row was forgotten since, by {run}" if run else "its SHA-256 differs"


class PreparedData:
    """A manifest on disk, with its rows: every file of it is verified before one row is read.

    Args:
        path: The manifest.json.
        expected_sha256: What the caller knows of it (the table, or a job).

    Raises:
        StageError(ManifestMismatch): The manifest or a file of it is gone or was changed; the file is named.
        StageError(NotPrepared): An older version of the product wrote it.
    """

    def __init__(self, path: Path, expected_sha256: str) -> None:
        self.path, self.sha256 = path, expected_sha256
        self._check(path, expected_sha256, 0)
        written = read_json(path)
        if written.get("schema_version") != SCHEMA:
            cause = f"{path.name} is of schema {written.get('schema_version')}, and {SCHEMA} is read"
            raise StageError(NotPrepared(), "this data manifest is from an older version", cause=cause)
        self.manifest = Manifest.model_validate(written)
        for file in self.manifest.all_files():
            self._check(path.parent / file.path, file.sha256, self.manifest.version)

    def train(self) -> list[PreparedRow]:
        """Rows to train on: the train split without its dev slice, in file order."""
        return [row for row in self.rows("train") if row.slice is None]

    def dev(self) -> list[PreparedRow]:
        """The dev slice, in file order."""
        return [row for row in self.rows("train") if row.slice == "dev"]

    def eval(self) -> list[PreparedRow]:
        """The held-out rows. Only evaluate (and the smoke checks after it) may read them."""
        return list(self.rows("eval"))

    def rows(self, split: str) -> Iterator[PreparedRow]:
        """The rows of a file: of "train" with its dev slice, "eval" or "gold"; none where it has no such file."""
        if split in self.manifest.splits:
            with (self.path.parent / self.manifest.splits[split].path).open("rb") as lines:
                for row in map(PreparedRow.model_validate, map(orjson.loads, lines)):
                    if not is_forgotten(row.payload):
                        yield self._located(row)

    def _located(self, row: PreparedRow) -> PreparedRow:
        """The row with the whole paths of its pictures and recordings; what is not there as it was kept is told by its file."""
        return located(row, self.path.parents[2], lambda path, expected: self._check(path, expected, self.manifest.version))

    def _check(self, path: Path, expected: str, version: int) -> None:
        found = sha256(path) if path.exists() else None
        if found != expected:
            reason = ManifestMismatch(manifest_version=version, file=path.name, expected_sha256=expected, found_sha256=found)
            raise StageError(reason, where=path.name, cause="it is missing" if found is None else why_differs(path, expected))


if __name__ == "__main__":
    import json

    print(json.dumps(Manifest.model_json_schema(), indent=2))
