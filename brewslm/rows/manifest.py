"""The data manifest: the one source of truth for everything after prepare. Rows are read through it, and it verifies them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.reasons.prepare import ManifestMismatch
from brewslm.rows.ledger import Ledger
from brewslm.store.files import read_json, sha256


class OutputSchema(BaseModel):
    """What a right answer looks like.

    Attributes:
        scoring_mode: "label", "text" or "span_set": the handler reads it.
        labels: Every label of the train split, sorted; for classification.
        entity_types: Every entity type of the train split, sorted; for span_set.
    """

    model_config = ConfigDict(frozen=True)

    scoring_mode: str
    labels: list[str] = []
    entity_types: list[str] = []


class SplitFile(BaseModel):
    """One file of a manifest; `path` is relative to the manifest's folder."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str
    rows: int


class Manifest(BaseModel):
    """`manifest.json`.

    Attributes:
        task_profile: classification, qa or structured_extraction.
        splits: "train" and "eval".
        dev_row_ids: The slice of train that chooses checkpoints; it is not trained on. Eval is read by evaluate alone.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: str = "brewslm/data-manifest/1"
    project: int
    version: int
    created_at: str
    seed: int
    task_profile: str
    adapter_preset: str
    output_schema: OutputSchema
    splits: dict[str, SplitFile]
    dev_row_ids: list[str]
    sources: list[str]
    """Ids of the imports (and clean runs) that the rows came from."""
    ledger: Ledger


class PreparedRow(BaseModel):
    """One line of train.jsonl or eval.jsonl."""

    model_config = ConfigDict(frozen=True)

    row_id: str
    payload: dict[str, Any]


class PreparedData:
    """A manifest on disk, with its rows.

    Args:
        path: The manifest.json.
        expected_sha256: What the caller knows of it (the table, or a job).

    Raises:
        StageError(ManifestMismatch): The manifest itself is gone or was changed.
    """

    def __init__(self, path: Path, expected_sha256: str) -> None:
        self.path, self.sha256 = path, expected_sha256
        self._version = 0
        self._check(path, expected_sha256)
        self.manifest = Manifest.model_validate(read_json(path))
        self._version = self.manifest.version

    def train(self) -> list[PreparedRow]:
        """Rows to train on: the train split without its dev slice, in file order."""
        held = set(self.manifest.dev_row_ids)
        return [row for row in self._rows("train") if row.row_id not in held]

    def dev(self) -> list[PreparedRow]:
        """The dev slice, in file order."""
        held = set(self.manifest.dev_row_ids)
        return [row for row in self._rows("train") if row.row_id in held]

    def eval(self) -> list[PreparedRow]:
        """The held-out rows. Only evaluate (and the smoke checks after it) may read them."""
        return list(self._rows("eval"))

    def _rows(self, split: str) -> Iterator[PreparedRow]:
        file = self.manifest.splits[split]
        path = self.path.parent / file.path
        self._check(path, file.sha256)
        with path.open("rb") as lines:
            for line in lines:
                yield PreparedRow.model_validate(orjson.loads(line))

    def _check(self, path: Path, expected: str) -> None:
        found = sha256(path) if path.exists() else None
        if found != expected:
            reason = ManifestMismatch(
                manifest_version=self._version, file=path.name, expected_sha256=expected, found_sha256=found
            )
            raise StageError(reason, where=path.name, cause="it is missing" if found is None else "its SHA-256 differs")
