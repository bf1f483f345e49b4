"""How a source could be mapped: one rule for each mapper, each with its confidence and its reasons."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from brewslm.mappers import Field
from brewslm.mappers.base import Mapper, as_list
from brewslm.mappers.bio_to_spans import BioToSpans
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.qa_pair_passthrough import QaPairPassthrough
from brewslm.stages.introspect.columns import ColumnSignature, ColumnType

_MANY_LABELS = 10
_HIGHEST = 0.95
_NAME_BONUS = 0.05
_AMBIGUOUS = 0.15
_TEXTS = frozenset({ColumnType.TEXT_LIKE, ColumnType.CATEGORICAL})
_LABELS = frozenset({ColumnType.CATEGORICAL, ColumnType.BOOLEAN})


class ShapeHypothesis(BaseModel):
    """One way to map a source.

    Attributes:
        confidence: 0 to 1; a proposal under 0.80 needs --force.
        rationale: What in the columns speaks for it.
        warnings: What speaks against it, or should be looked at.
    """

    model_config = ConfigDict(frozen=True)

    mapper_id: str
    target_task_profile: str
    field_map: dict[str, str]
    confidence: float
    rationale: str
    warnings: list[str] = []


def hypotheses(signatures: Sequence[ColumnSignature], rows: Sequence[dict[str, Any]]) -> list[ShapeHypothesis]:
    """Every mapping that the columns allow, the surest first."""
    found = [hypothesis for rule in _RULES if (hypothesis := rule(signatures, rows)) is not None]
    return sorted(found, key=lambda hypothesis: -hypothesis.confidence)


def _hypothesis(
    mapper: type[Mapper], field_map: dict[str, str], confidence: float, rationale: str, warnings: list[str]
) -> ShapeHypothesis:
    return ShapeHypothesis(
        mapper_id=mapper.id,
        target_task_profile=mapper.task_profile,
        field_map=field_map,
        confidence=round(max(0.05, min(confidence, _HIGHEST)), 2),
        rationale=rationale,
        warnings=warnings,
    )


def _of_type(signatures: Iterable[ColumnSignature], types: frozenset[ColumnType]) -> list[ColumnSignature]:
    return [signature for signature in signatures if signature.column_type in types]


def _is_named(signature: ColumnSignature, field: Field) -> bool:
    return signature.name.strip().lower() in field.names


def _best(candidates: Sequence[ColumnSignature], field: Field) -> tuple[ColumnSignature, bool]:
    """The candidate with the best conventional name, else the surest; and whether another would have done as well."""
    named = [signature for signature in candidates if _is_named(signature, field)]
    if named:
        return min(named, key=lambda signature: field.names.index(signature.name.strip().lower())), False
    best = max(candidates, key=lambda signature: signature.confidence)
    rivals = [signature for signature in candidates if signature.confidence > best.confidence - _AMBIGUOUS]
    return best, len(rivals) > 1


def _classification(signatures: Sequence[ColumnSignature], _rows: Sequence[dict[str, Any]]) -> ShapeHypothesis | None:
    texts = _of_type(signatures, frozenset({ColumnType.TEXT_LIKE}))
    labels = _of_type(signatures, _LABELS)
    if not texts or not labels:
        return None
    text_field, label_field = LabelToClassification.fields["text"], LabelToClassification.fields["label"]
    (text, text_doubt), (label, label_doubt) = _best(texts, text_field), _best(labels, label_field)
    confidence = (text.confidence + label.confidence) / 2
    reasons, warnings = [f"{text.name} is text ({text.notes[0]})", f"{label.name} has {label.unique_values} labels"], []
    for signature, field in ((text, text_field), (label, label_field)):
        if _is_named(signature, field):
            confidence += _NAME_BONUS
            reasons.append(f"the name {signature.name} is conventional")
    for doubt, what, candidates in ((text_doubt, "text", texts), (label_doubt, "label", labels)):
        if doubt:
            confidence -= _AMBIGUOUS
            warnings.append(f"{len(candidates)} columns could be the {what}: {', '.join(one.name for one in candidates)}")
    if label.unique_values > _MANY_LABELS:
        warnings.append(f"{label.unique_values} labels were seen: is {label.name} a class?")
    field_map = {"text": text.name, "label": label.name}
    return _hypothesis(LabelToClassification, field_map, confidence, "; ".join(reasons), warnings)


def _qa(signatures: Sequence[ColumnSignature], _rows: Sequence[dict[str, Any]]) -> ShapeHypothesis | None:
    fields = QaPairPassthrough.fields
    texts = _of_type(signatures, _TEXTS)
    questions = [signature for signature in texts if _is_named(signature, fields["question"])]
    answers = [signature for signature in texts if _is_named(signature, fields["answer"])]
    if not questions or not answers:
        return None
    (question, _), (answer, _) = _best(questions, fields["question"]), _best(answers, fields["answer"])
    exact = (question.name.lower(), answer.name.lower()) == ("question", "answer")
    confidence, warnings = (_HIGHEST if exact else 0.88), []
    if any(signature.name.lower() in ("context", "passage", "document") for signature in signatures):
        confidence -= 2 * _AMBIGUOUS
        warnings.append("there is a context column, which this mapping leaves out")
    if answer.column_type is ColumnType.CATEGORICAL:
        confidence -= _AMBIGUOUS
        warnings.append(f"{answer.name} has only {answer.unique_values} different values: is it a class?")
    rationale = f"{question.name} and {answer.name} are texts with conventional names"
    return _hypothesis(QaPairPassthrough, {"question": question.name, "answer": answer.name}, confidence, rationale, warnings)


def _bio(signatures: Sequence[ColumnSignature], rows: Sequence[dict[str, Any]]) -> ShapeHypothesis | None:
    fields = BioToSpans.fields
    tokens_lists = _of_type(signatures, frozenset({ColumnType.TOKENS_LIST}))
    tag_lists = _of_type(signatures, frozenset({ColumnType.BIO_TAG_LIST}))
    if not tokens_lists or not tag_lists:
        return None
    (tokens, token_doubt), (labels, _) = _best(tokens_lists, fields["tokens"]), _best(tag_lists, fields["labels"])
    pairs = [(as_list(row.get(tokens.name)), as_list(row.get(labels.name))) for row in rows]
    both = [(left, right) for left, right in pairs if left is not None and right is not None]
    equal = sum(len(left) == len(right) for left, right in both)
    field_map = {"tokens": tokens.name, "labels": labels.name}
    spaces = next((signature.name for signature in signatures if _is_named(signature, fields["trailing_whitespace"])), None)
    warnings = [] if equal == len(both) else [f"tokens and tags differ in number in {len(both) - equal} of {len(both)} rows"]
    rationale = f"{tokens.name} and {labels.name} have as many tokens as BIO tags in {equal} of {len(both)} rows"
    confidence = _HIGHEST * equal / max(1, len(both)) - (_AMBIGUOUS if token_doubt else 0)
    return _hypothesis(
        BioToSpans, field_map | ({"trailing_whitespace": spaces} if spaces else {}), confidence, rationale, warnings
    )


_RULES: tuple[Callable[[Sequence[ColumnSignature], Sequence[dict[str, Any]]], ShapeHypothesis | None], ...] = (
    _bio,
    _qa,
    _classification,
)
