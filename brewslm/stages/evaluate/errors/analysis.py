"""`errors.json`: what an evaluation got wrong, in clusters with names that can be checked."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from brewslm.stages.evaluate.errors.conditions import Condition, HasFault, Trait
from brewslm.stages.evaluate.errors.meaning import Reader
from brewslm.stages.evaluate.errors.slices import SliceReport


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)


class Exemplar(_Kept):
    """One row of a cluster, shortened.

    Attributes:
        quote: Of what was asked; "" of a picture or a recording.
        expected, output: The right answer, and what was said.
    """

    row_id: str
    quote: str
    expected: str
    output: str


class TraitFigures(_Kept):
    """What a cluster's rows have in common, beside the wrong answer.

    Attributes:
        said: In words.
        holds: Share of the cluster's rows that it is true of.
        among_right: Share of all right rows that it is true of.
        compared_with: Right rows whose right answer is of the same sort, such as those with the same label.
        among_compared: Share of these that it is true of.
        p_value: That chance alone brings such a difference; it takes the number of traits and groups into account.
    """

    condition: Trait
    said: str
    holds: float
    among_right: float
    compared_with: int
    among_compared: float
    p_value: float


class Cluster(_Kept):
    """Wrong rows that belong together. Each wrong row is in one cluster.

    Attributes:
        id: "c1" is the largest.
        name: What all of `conditions` say; or that no common trait was found.
        outcome: What is wrong with the answers: true of every row.
        trait: What the rows have in common besides; None where nothing is specific to them.
        conditions: The outcome, and the trait.
        by: How the rows were brought together: by their fault, by a trait, or by what they mean.
        share: Of all wrong rows.
        holds: Share of the rows that all conditions are true of; at least 0.8.
        among_right: Share of all right rows that all conditions are true of.
        of_rows: Rows, right or wrong, whose right answer is of the same sort: those that it could have happened to.
        sort: Which these are, such as "expecting negative"; "" where they are all rows.
        traits_tried: How many traits the rows were searched for.
        next_step: What to do about it.
    """

    id: str
    name: str
    outcome: HasFault
    trait: TraitFigures | None
    conditions: list[Condition]
    by: Literal["fault", "trait", "meaning"]
    rows: int
    share: float
    holds: float
    among_right: float
    of_rows: int
    sort: str
    traits_tried: int
    next_step: str
    exemplars: list[Exemplar]
    row_ids: list[str]


class ErrorAnalysis(_Kept):
    """The file.

    Attributes:
        system: Whose answers they are.
        n, wrong: Rows, and how many of them were wrong.
        note: What limits the analysis; "" where nothing does.
        reader: What read the meaning of texts; None where that was not needed.
        slices: How the system did on parts of the rows.
    """

    schema_version: Literal["brewslm/errors/1"] = "brewslm/errors/1"
    system: str
    n: int
    wrong: int
    note: str = ""
    reader: Reader | None = None
    clusters: list[Cluster]
    slices: SliceReport | None = None

    def cluster_of(self, row_id: str) -> Cluster | None:
        """The cluster that a row is in; None where it was right."""
        return next((cluster for cluster in self.clusters if row_id in cluster.row_ids), None)


def shortened(value: Any, most: int, around: str = "") -> str:
    """A value on one line of at most so many characters, with the word `around` in it where it has one."""
    import re

    text = " ".join((value if isinstance(value, str) else _compact(value)).split())
    if len(text) <= most:
        return text
    found = re.search(rf"(?<!\w){re.escape(around)}(?!\w)", text, re.IGNORECASE) if around else None
    begin = max(0, min(found.start() - most // 2, len(text) - most)) if found else 0
    end = begin + most
    return ("…" if begin else "") + text[begin + bool(begin) : end - (end < len(text))] + ("…" if end < len(text) else "")


def _compact(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()
