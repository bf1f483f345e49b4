"""Shapes told by the kinds of their columns: a text and a class, a file and a text, a text alone."""

from collections.abc import Sequence

from brewslm.mappers import Field
from brewslm.mappers.audio_transcript import AudioTranscript
from brewslm.mappers.image_text import ImageText
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.safety_prompt import SafetyPrompt
from brewslm.mappers.text_only import TextOnly
from brewslm.stages.introspect.columns import ColumnSignature, ColumnType, file_name
from brewslm.stages.introspect.remainder import DECLARED, remainder
from brewslm.stages.introspect.sample import Sample, head_noun, is_named, is_text, is_title, named, plain
from brewslm.stages.introspect.shape import DOUBT, GUESS, HIGHEST, ShapeHypothesis, shape

_MANY_LABELS, _MANY_STRAY = 10, 50
_TEACHING = DECLARED | {"sentiment", "intent"}
_HEAD_NOUN, _UNNAMED = 0.90, 0.85
_STRAY = 0.10
_SCORES = ("score", "rating", "grade", "stars")
_MOSTLY = 0.8
_SHORT = 60
_HARM = ("harm", "risk_area", "unsafe", "is_safe", "safety", "jailbreak", "hazard")
_TEXT, _LABEL = LabelToClassification.fields["text"], LabelToClassification.fields["label"]


def classification(sample: Sample) -> ShapeHypothesis | None:
    """A text and a class. It is as sure as the weaker of the two: a text that is plain to see makes no column a class."""
    texts = [one for one in sample.signatures if one in sample.prose or (is_text(one) and is_named(one, _TEXT))]
    texts = [one for one in texts if not is_title(one.name)] or texts
    short = not texts
    texts = texts or [one for one in sample.beside() if one.column_type is ColumnType.TEXT_LIKE]
    if not texts or not sample.labels:
        return None
    text, text_doubt = _best(texts, _TEXT)
    label, label_doubt = _best(sample.labels, _LABEL)
    reasons, warnings = [f"{text.name} is text ({text.notes[0]})", f"{label.name} has {label.unique_values} labels"], []
    reasons += [f"the name {one.name} is conventional" for one, field in ((text, _TEXT), (label, _LABEL)) if is_named(one, field)]
    confidence = min(_evidence(text, _TEXT), _evidence(label, _LABEL))
    bodies = [one for one in sample.bodies() if one.name != text.name]
    for doubt, what, candidates in (
        (text_doubt or bool(bodies), "text", texts),
        (label_doubt or _is_rivalled(sample, label), "label", sample.labels),
    ):
        if doubt:
            confidence -= DOUBT
            warnings.append(f"{len(candidates)} columns could be the {what}: {', '.join(one.name for one in candidates)}")
    left_out = remainder(sample, (text.name, label.name), texts=False, declared=False)
    confidence -= left_out.cost
    warnings += left_out.warnings
    for doubt, cost, warning in _doubts(sample, text, label, short=short):
        if doubt:
            confidence -= cost
            warnings.append(warning)
    field_map = {"text": text.name, "label": label.name}
    return shape(LabelToClassification.id, field_map, confidence, "; ".join(reasons), warnings)


def _doubts(sample: Sample, text: ColumnSignature, label: ColumnSignature, *, short: bool) -> tuple[tuple[bool, float, str], ...]:
    besides = [one for one in sample.beside(text, label) if one.column_type is not ColumnType.UNKNOWN]
    filled, said = sample.filled(text.name), label.unique_values
    about = [one.name for one in besides if sample.share_standing_in(one.name, text.name) >= _MOSTLY]
    stray = bool(besides) and not is_named(label, _LABEL)
    return (
        (bool(sample.lists_and_files()), 2 * DOUBT, "there are lists, objects or files, which this mapping leaves out"),
        (stray, _STRAY, f"the name {label.name} does not say that it is a class, and there are other columns"),
        (filled < _MOSTLY, DOUBT, f"{text.name} is filled in {filled:.0%} of the rows, and the others would be rejected"),
        (bool(about), DOUBT, f"{', '.join(about)} stands in the text: is the class that of it, and not of the whole text?"),
        (short, DOUBT, f"the texts of {text.name} are of few words"),
        (
            stray and said > _MANY_STRAY,
            DOUBT,
            f"{said} different values and no name that says so: {label.name} is hardly a class",
        ),
        (said > _MANY_LABELS, 0, f"{said} labels were seen: is {label.name} a class?"),
        (said == 1, 0, f"only one label was seen, {label.sample_value}: the source may be sorted by it"),
    )


def _best(candidates: Sequence[ColumnSignature], field: Field) -> tuple[ColumnSignature, bool]:
    """The candidate with the best conventional name, else the surest; and whether another would have done as well."""
    conventional = named(candidates, field)
    if conventional is not None:
        return conventional, False
    called = [one for one in candidates if head_noun(one.name) in field.names] or candidates
    best = max(called, key=lambda signature: signature.confidence)
    rivals = [signature for signature in called if signature.confidence > best.confidence - DOUBT]
    return best, len(rivals) > 1


def _evidence(signature: ColumnSignature, field: Field) -> float:
    """How sure a column is what the field wants: by its whole name, by its head noun, or only by its values."""
    if is_named(signature, field):
        return HIGHEST
    if head_noun(signature.name) in field.names or plain(signature.name).startswith("is_"):
        return min(_HEAD_NOUN, signature.confidence)
    return min(GUESS if signature.column_type is ColumnType.CLASS_ID else _UNNAMED, signature.confidence)


def _is_rivalled(sample: Sample, label: ColumnSignature) -> bool:
    """Whether another column could be the class, where the name of this one (`topic`, `rating`) only describes the text."""
    others = [one for one in sample.labels if one.name != label.name and not _is_same(sample, one.name, label.name)]
    return is_named(label, _LABEL) and (
        bool(others) if plain(label.name) not in _TEACHING else any(head_noun(one.name) in _TEACHING for one in others)
    )


def _is_same(sample: Sample, one: str, other: str) -> bool:
    """Whether two columns say the same, as a class's number and its name do."""
    pairs = {(str(row.get(one)), str(row.get(other))) for row in sample.rows}
    return len({left for left, _ in pairs}) == len(pairs) == len({right for _, right in pairs})


def safety(sample: Sample) -> ShapeHypothesis | None:
    """A prompt, and a class whose name speaks of harm."""
    spec = SafetyPrompt.fields
    prompt = named((one for one in sample.signatures if is_text(one)), spec["prompt"])
    harms = [one for one in sample.labels if any(word in plain(one.name) for word in _HARM)]
    if prompt is None or not harms:
        return None
    warnings = [] if len(harms) == 1 else [f"{len(harms)} columns speak of harm: {', '.join(one.name for one in harms)}"]
    response = named((one for one in sample.signatures if is_text(one) and one.name != prompt.name), spec["response"])
    field_map = {"prompt": prompt.name, "label": harms[0].name} | ({"response": response.name} if response else {})
    rationale = f"{prompt.name} is text, and {harms[0].name} has {harms[0].unique_values} kinds of harm"
    left_out = remainder(sample, field_map.values())
    confidence = 0.92 - DOUBT * (len(harms) > 1) - left_out.cost
    return shape(SafetyPrompt.id, field_map, confidence, rationale, warnings + left_out.warnings)


def image(sample: Sample) -> ShapeHypothesis | None:
    """Paths of images and a text; or a question about each, and its answer."""
    spec, images = ImageText.fields, sample.of_type(ColumnType.IMAGE_PATH)
    if not images:
        return None
    words = sample.of_type(ColumnType.TEXT_LIKE, ColumnType.CATEGORICAL)
    prompt, answer = named(words, spec["prompt"]), next((one for one in words if plain(one.name) == "answer"), None)
    if prompt is None or answer is None:
        return _media(sample, ImageText.id, "image", spec["image"], "text", spec["text"], images)
    field_map = {"image": images[0].name, "text": answer.name, "prompt": prompt.name}
    rationale = f"{images[0].name} names images, and {prompt.name} and {answer.name} are texts with conventional names"
    left_out = remainder(sample, field_map.values())
    return shape(ImageText.id, field_map, HIGHEST - left_out.cost, rationale, left_out.warnings)


def audio(sample: Sample) -> ShapeHypothesis | None:
    """Paths of recordings and what is said in them."""
    spec, recordings = AudioTranscript.fields, sample.of_type(ColumnType.AUDIO_PATH)
    if not recordings:
        return None
    return _media(sample, AudioTranscript.id, "audio", spec["audio"], "transcript", spec["transcript"], recordings)


def _media(
    sample: Sample, mapper: str, what: str, file_field: Field, text_name: str, text_field: Field, files: list[ColumnSignature]
) -> ShapeHypothesis | None:
    texts = [one for one in sample.signatures if is_text(one) and (one in sample.prose or is_named(one, text_field))]
    if not texts:
        return None
    files = _different(sample, files, file_field)
    file, text = named(files, file_field) or files[0], named(texts, text_field)
    confidence, warnings = HIGHEST if text else 0.85, []
    for name, candidates, doubtful in ((what, files, len(files) > 1), (text_name, texts, text is None and len(texts) > 1)):
        if doubtful:
            confidence -= DOUBT
            warnings.append(f"{len(candidates)} columns could be the {name}: {', '.join(one.name for one in candidates)}")
    text = text or texts[0]
    left_out = remainder(sample, (text.name, *(one.name for one in sample.of_type(files[0].column_type))), texts=False)
    rationale = f"{file.name}: {file.notes[0]}; {text.name} is text"
    field_map = {what: file.name, text_name: text.name}
    return shape(mapper, field_map, confidence - left_out.cost, rationale, warnings + left_out.warnings)


def _different(sample: Sample, files: list[ColumnSignature], field: Field) -> list[ColumnSignature]:
    """The columns of files, but for those that name the same file as the best named one: a path, and the object it decodes to."""
    best = named(files, field) or files[0]
    return [one for one in files if one.name == best.name or not _name_the_same(sample, one.name, best.name)]


def _name_the_same(sample: Sample, one: str, other: str) -> bool:
    named = [tuple(file_name(row.get(column)).rpartition("/")[2] for column in (one, other)) for row in sample.rows]
    return sum(left == right for left, right in named) >= _MOSTLY * len(named)


def text_only(sample: Sample) -> ShapeHypothesis | None:
    """One column of texts, and nothing that could be learnt beside it."""
    spec, bodies = TextOnly.fields["text"], sample.bodies()
    if not bodies:
        return None
    text, doubt = _best(bodies, spec)
    confidence, warnings = 0.90 if is_named(text, spec) else 0.82, []
    if doubt or len(bodies) > 1:
        confidence -= 2 * DOUBT
        warnings.append(f"{len(bodies)} columns hold texts: {', '.join(one.name for one in bodies)}")
    if sample.labels or sample.lists_and_files():
        may_teach = any(_evidence(one, _LABEL) > _UNNAMED for one in sample.labels) or bool(sample.lists_and_files())
        confidence -= (2 if may_teach else 1) * DOUBT
        warnings.append("there are columns that could be what is to be learnt, and this mapping leaves them out")
    scores = [one.name for one in sample.of_type(ColumnType.NUMERIC) if head_noun(one.name) in _SCORES]
    if scores and not sample.labels:
        confidence -= DOUBT
        warnings.append(f"{', '.join(scores)} may be what is to be learnt, and this mapping leaves it out")
    if not is_named(text, spec) and sample.words(text) * 6 < _SHORT:
        confidence -= DOUBT
        warnings.append(f"the texts of {text.name} are short")
    rationale = f"{text.name} is the only column of texts ({text.notes[0]})"
    return shape(TextOnly.id, {"text": text.name}, confidence, rationale, warnings)
