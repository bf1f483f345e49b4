"""Which mapping an import uses: what a person said, filled up from the proposal, if that is sure enough."""

from pydantic import BaseModel, ConfigDict, Field

from brewslm.errors import StageError, did_you_mean
from brewslm.mappers import mapper_of, mapper_type
from brewslm.reasons.refusals import InvalidRequest, LowConfidence
from brewslm.rows import RowReason
from brewslm.sources import Locator, connector_of
from brewslm.stages.introspect import CONFIDENCE_HIGH, Introspection


class ImportRequest(BaseModel):
    """What a person asks of stages 1 to 4.

    Attributes:
        mapper, field_map: Said outright; under `auto` they override the proposal, entry by entry.
        config: The number of a mapping that an import of this project used; mapper, field_map and drop override it.
        auto: Take the proposal, if it is sure enough.
        force: Take it although it is under 0.80.
        drop: Codes of reasons whose rows are left out of the shown sample.
        gold: The rows are a gold set: prepare holds them out, whatever else it draws, and never trains on them.
        commit: Append the rows; a dry run otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: int
    locator: Locator
    mapper: str | None = None
    field_map: dict[str, str] = {}
    config: int | None = None
    auto: bool = False
    force: bool = False
    limit: int | None = Field(default=None, ge=1)
    drop: list[str] = []
    gold: bool = False
    commit: bool = False


class ChosenMapping(BaseModel):
    """The mapping to use; `confidence` is None where no guess was needed."""

    model_config = ConfigDict(frozen=True)

    mapper: str
    field_map: dict[str, str]
    confidence: float | None
    forced: bool


def check(request: ImportRequest) -> None:
    """Whatever can be refused before the source is touched.

    Raises:
        StageError(UnknownScheme, UnknownMapper, InvalidRequest): The request can't be meant so.
    """
    if request.mapper is not None:
        mapper_type(request.mapper)
    row_reasons(request.drop)
    if request.mapper is None and not request.auto:
        next_step = "Add --auto to take the proposal, or name --mapper and --map field=column, or --config."
        raise StageError(InvalidRequest(), "no mapping was chosen", next_step=next_step)
    connector_of(request.locator)


def chosen_mapping(request: ImportRequest, introspection: Introspection) -> ChosenMapping:
    """The mapping to use: what was said outright, filled up from the hypothesis for it.

    Raises:
        StageError(LowConfidence): Something had to be guessed, the guess is under 0.80, and nobody forced it.
    """
    guess = next((one for one in introspection.hypotheses if request.mapper in (None, one.mapper_id)), None)
    mapper = request.mapper or (guess.mapper_id if guess else None)
    if mapper is None:
        raise StageError(
            LowConfidence(), "no mapping could be proposed", where=request.locator,
            cause=f"no mapper suits the columns: {', '.join(introspection.columns)}",
            next_step="Name --mapper and --map field=column yourself; see brewslm mappers.",
        )  # fmt: skip
    required = {name for name, field in mapper_type(mapper).fields.items() if field.required}
    if not request.auto and required <= request.field_map.keys():
        mapper_of(mapper, request.field_map)
        return ChosenMapping(mapper=mapper, field_map=request.field_map, confidence=None, forced=False)
    field_map = (guess.field_map if guess else {}) | request.field_map
    mapper_of(mapper, field_map)
    if required <= request.field_map.keys():
        return ChosenMapping(mapper=mapper, field_map=field_map, confidence=None, forced=False)
    assert guess is not None  # without one, the mapper would have missed a required field
    if guess.confidence < CONFIDENCE_HIGH and not request.force:
        said = ", ".join(f"{field}={column}" for field, column in guess.field_map.items())
        doubts = f" ({'; '.join(guess.warnings)})" if guess.warnings else ""
        raise StageError(
            LowConfidence(), "the proposed mapping is not sure enough", where=f"{mapper}: {said}",
            cause=f"confidence {guess.confidence:.2f} is under {CONFIDENCE_HIGH:.2f}{doubts}",
        )  # fmt: skip
    forced = guess.confidence < CONFIDENCE_HIGH
    return ChosenMapping(mapper=mapper, field_map=field_map, confidence=guess.confidence, forced=forced)


def row_reasons(codes: list[str]) -> list[RowReason]:
    """The reasons of these codes.

    Raises:
        StageError(InvalidRequest): There is none of a code.
    """
    known = {reason.value: reason for reason in RowReason}
    for code in codes:
        if code not in known:
            raise StageError(InvalidRequest(), f"--drop does not know {code}", cause=did_you_mean(code, known))
    return [known[code] for code in codes]
