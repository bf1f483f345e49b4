"""Gold sets: rows that people have judged, frozen by a hash, and never trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from brewslm.errors import StageError
from brewslm.reasons.eval import GoldSetChanged
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.identity import content_hash
from brewslm.rows.ledger import Ledger
from brewslm.rows.manifest import Forgotten, PreparedFile, PreparedRow, located, why_differs
from brewslm.store.files import read_json, sha256

ROWS_FILE, GOLD_FILE = "gold.jsonl", "gold.json"
RowVerdict = Literal["accepted", "corrected", "rejected"]
RowState = Literal["unreviewed", "accepted", "corrected", "rejected", "disputed"]


@dataclass(frozen=True)
class RowReview:
    """What one reviewer said of a row.

    Attributes:
        payload: The whole row as it should be; None unless it was corrected.
        settles: It was given to end a dispute, and decides alone.
    """

    reviewer: str
    verdict: RowVerdict
    payload: dict[str, Any] | None = None
    settles: bool = False


def state_of(reviews: Sequence[RowReview]) -> tuple[RowState, dict[str, Any] | None]:
    """A row's state, and its corrected payload where it has one; reviewers who say different things leave it disputed."""
    if not reviews:
        return "unreviewed", None
    settled = [one for one in reviews if one.settles]
    deciding = settled[-1:] or list(reviews)
    first = deciding[0]
    if any(_said(one) != _said(first) for one in deciding[1:]):
        return "disputed", None
    return first.verdict, first.payload


def _said(review: RowReview) -> tuple[str, str]:
    return review.verdict, content_hash(review.payload) if review.payload is not None else ""


class PairAgreement(BaseModel):
    """How far two reviewers agree, before anything was settled.

    Attributes:
        n: Rows that both reviewed.
        agreed: Of those, how many they said the same of.
        kappa: Cohen's; None where it is not defined (both said one and the same thing of every row, or n is 0).
        low, high: Its 95 % interval.
    """

    model_config = ConfigDict(frozen=True)

    reviewers: tuple[str, str]
    n: int
    agreed: int
    kappa: float | None
    low: float | None
    high: float | None


class GoldManifest(BaseModel):
    """`gold.json`: what a locked version is. Its hash is the version's identity.

    Attributes:
        reviewers: Everybody who reviewed a row of it.
        wanted_reviewers: How many had to look at each row.
        rows: The accepted and corrected rows, in `gold.jsonl`.
        ledger: Rows that were drawn = rows here + rows that reviewers rejected + rows that were forgotten since.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["brewslm/gold-set/1"] = "brewslm/gold-set/1"
    project: int
    name: str
    version: int
    task_profile: str
    adapter_preset: str
    created_at: str
    reviewers: list[str]
    wanted_reviewers: int
    agreement: list[PairAgreement]
    corrected: int
    rows: int
    file: PreparedFile
    ledger: Ledger
    forgotten: list[Forgotten] = []


class GoldFile(BaseModel):
    """A locked version as a job names it."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    path: Path
    sha256: str

    @property
    def label(self) -> str:
        """Such as "support@2"."""
        return f"{self.name}@{self.version}"


class GoldData:
    """A locked version on disk: verified before a row is read.

    Raises:
        StageError(GoldSetChanged): `gold.json` or `gold.jsonl` is gone, or not what was locked.
    """

    def __init__(self, file: GoldFile) -> None:
        self.file, self.sha256 = file, file.sha256
        self._check(file.path, file.sha256)
        self.manifest = GoldManifest.model_validate(read_json(file.path))
        self._check(file.path.parent / self.manifest.file.path, self.manifest.file.sha256)

    def rows(self) -> list[PreparedRow]:
        """The rows with their right answers, in the order in which they were drawn."""
        folder = self.file.path.parents[2]
        made = [PreparedRow(row_id=line["row_id"], payload=line["payload"]) for line in self._lines()]
        return [located(row, folder) for row in made]

    def payloads(self) -> Iterator[dict[str, Any]]:
        """What each row says, and what it said before it was corrected: neither may be trained on."""
        for line in self._lines():
            yield line["payload"]
            if "former" in line:
                yield line["former"]

    def row_ids(self) -> list[str]:
        """Of every row."""
        return [line["row_id"] for line in self._lines()]

    def _lines(self) -> Iterator[dict[str, Any]]:
        with (self.file.path.parent / self.manifest.file.path).open("rb") as lines:
            yield from (line for line in map(orjson.loads, lines) if not is_forgotten(line["payload"]))

    def _check(self, path: Path, expected: str) -> None:
        found = sha256(path) if path.exists() else None
        if found != expected:
            reason = GoldSetChanged(gold_set=self.file.label, file=path.name, expected_sha256=expected, found_sha256=found)
            raise StageError(reason, where=path.name, cause="it is missing" if found is None else why_differs(path, expected))
