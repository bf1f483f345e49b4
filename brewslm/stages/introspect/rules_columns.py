"""Shapes told by the kinds of their columns: a text and a class, a file and a text, a text alone."""

from collections.abc import Sequence

from brewslm.mappers import Field
from brewslm.mappers.audio_transcript import AudioTranscript
from brewslm.mappers.image_text import ImageText
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.safety_prompt import SafetyPrompt
from brewslm.mappers.text_only import TextOnly
from brewslm.stages.introspect.columns import ColumnSignature, ColumnType
from brewslm.stages.introspect.sample import Sample, is_named, is_text, named, plain
from brewslm.stages.introspect.shape import DOUBT, HIGHEST, ShapeHypothesis, shape

_MANY_LABELS = 10
_NAME_BONUS = 0.05
_STRAY = 0.10
_MOSTLY = 0.8
_SHORT = 60
_HARM = ("harm", "risk_area", "unsafe", "is_safe", "safety", "jailbreak", "hazard")


def classification(sample: Sample) -> ShapeHypothesis | None:
    """A text and a class."""
    spec = LabelToClassification.fields
    texts = [one for one in sample.signatures if one in sample.prose or (is_text(one) and is_named(one, spec["text"]))]
    short = not texts
    texts = texts or [one for one in sample.beside() if is_text(one)]
    if not texts or not sample.labels:
        return None
    text, text_doubt = _best(texts, spec["text"])
    label, label_doubt = _best(sample.labels, spec["label"])
    confidence = (text.confidence + label.confidence) / 2
    reasons, warnings = [f"{text.name} is text ({text.notes[0]})", f"{label.name} has {label.unique_values} labels"], []
    for signature, field in ((text, spec["text"]), (label, spec["label"])):
        if is_named(signature, field):
            confidence += _NAME_BONUS
            reasons.append(f"the name {signature.name} is conventional")
    bodies = [one for one in sample.bodies() if one.name != text.name]
    for doubt, what, candidates in (
        (text_doubt or bool(bodies), "text", texts),
        (label_doubt, "label", sample.labels),
    ):
        if doubt:
            confidence -= DOUBT
            warnings.append(f"{len(candidates)} columns could be the {what}: {', '.join(one.name for one in candidates)}")
    if sample.lists_and_files():
        confidence -= 2 * DOUBT
        warnings.append("there are lists, objects or files, which this mapping leaves out")
    besides = [one for one in sample.beside(text, label) if one.column_type is not ColumnType.UNKNOWN]
    if besides and not is_named(label, spec["label"]):
        confidence -= _STRAY
        warnings.append(f"the name {label.name} does not say that it is a class, and there are other columns")
    if sample.filled(text.name) < _MOSTLY:
        confidence -= DOUBT
        warnings.append(f"{text.name} is filled in {sample.filled(text.name):.0%} of the rows, and the others would be rejected")
    if short:
        confidence -= DOUBT
        warnings.append(f"the texts of {text.name} are of few words")
    if label.unique_values > _MANY_LABELS:
        warnings.append(f"{label.unique_values} labels were seen: is {label.name} a class?")
    field_map = {"text": text.name, "label": label.name}
    return shape(LabelToClassification.id, field_map, confidence, "; ".join(reasons), warnings)


def _best(candidates: Sequence[ColumnSignature], field: Field) -> tuple[ColumnSignature, bool]:
    """The candidate with the best conventional name, else the surest; and whether another would have done as well."""
    conventional = named(candidates, field)
    if conventional is not None:
        return conventional, False
    best = max(candidates, key=lambda signature: signature.confidence)
    rivals = [signature for signature in candidates if signature.confidence > best.confidence - DOUBT]
    return best, len(rivals) > 1


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
    return shape(SafetyPrompt.id, field_map, 0.92 - DOUBT * (len(harms) > 1), rationale, warnings)


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
    return shape(ImageText.id, field_map, HIGHEST - DOUBT * (len(images) > 1), rationale, [])


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
    file, text = named(files, file_field) or files[0], named(texts, text_field)
    confidence, warnings = HIGHEST if text else 0.85, []
    for name, candidates, doubtful in ((what, files, len(files) > 1), (text_name, texts, text is None and len(texts) > 1)):
        if doubtful:
            confidence -= DOUBT
            warnings.append(f"{len(candidates)} columns could be the {name}: {', '.join(one.name for one in candidates)}")
    text = text or texts[0]
    rationale = f"{file.name}: {file.notes[0]}; {text.name} is text"
    return shape(mapper, {what: file.name, text_name: text.name}, confidence, rationale, warnings)


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
        confidence -= 2 * DOUBT
        warnings.append("there are columns that could be what is to be learnt, and this mapping leaves them out")
    if not is_named(text, spec) and sample.words(text) * 6 < _SHORT:
        confidence -= DOUBT
        warnings.append(f"the texts of {text.name} are short")
    rationale = f"{text.name} is the only column of texts ({text.notes[0]})"
    return shape(TextOnly.id, {"text": text.name}, confidence, rationale, warnings)
