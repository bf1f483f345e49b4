"""Shapes told by the names of two or three columns that belong together."""

from collections.abc import Sequence
from typing import Any

from brewslm.mappers import Field
from brewslm.mappers.base import as_list, as_object
from brewslm.mappers.preference_pair import PreferencePair
from brewslm.mappers.qa_pair_passthrough import QaPairPassthrough
from brewslm.mappers.rag_passthrough import RagPassthrough
from brewslm.mappers.seq2seq_pair import Seq2SeqPair
from brewslm.stages.introspect.columns import ColumnSignature, ColumnType
from brewslm.stages.introspect.remainder import bodies_beside, remainder
from brewslm.stages.introspect.sample import Sample, called, is_named, is_text, named, plain
from brewslm.stages.introspect.shape import DOUBT, GUESS, HIGHEST, ShapeHypothesis, shape

_WORDS = (ColumnType.TEXT_LIKE, ColumnType.CATEGORICAL)
_LANGUAGES = frozenset({
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "it", "ja",
    "ko", "lt", "lv", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi", "zh",
    "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "polish", "russian", "chinese", "japanese",
})  # fmt: skip
_FILLED = 0.5
_LONGER = 3
_BY_ORDER = 0.45


def preference(sample: Sample) -> ShapeHypothesis | None:
    """A prompt, a chosen answer and a rejected one."""
    spec = PreferencePair.fields
    answers = sample.of_type(*_WORDS, ColumnType.CHAT_MESSAGES)
    chosen, rejected = named(answers, spec["chosen"]), named(answers, spec["rejected"])
    if chosen is None or rejected is None:
        return None
    prompt = named(answers, spec["prompt"])
    field_map = {"chosen": chosen.name, "rejected": rejected.name}
    rationale = f"{chosen.name} and {rejected.name} are conventional names for a better and a worse answer"
    taken = (chosen.name, rejected.name, *(one.name for one in sample.of_type(ColumnType.CHAT_MESSAGES)))
    left_out = remainder(sample, taken, texts=False, declared=False)
    if prompt is not None:
        field_map = {"prompt": prompt.name} | field_map
        return shape(PreferencePair.id, field_map, HIGHEST - left_out.cost, rationale, left_out.warnings)
    if chosen.column_type is rejected.column_type is ColumnType.CHAT_MESSAGES:
        rationale = f"{rationale}, and what was asked stands in their messages"
        return shape(PreferencePair.id, field_map, 0.92 - left_out.cost, rationale, left_out.warnings)
    return shape(PreferencePair.id, field_map, 0.30, rationale, ["no column holds the prompt, so every row would be rejected"])


def rag(sample: Sample) -> ShapeHypothesis | None:
    """A question, a context that is mostly there, and an answer."""
    spec = RagPassthrough.fields
    question, answer, warnings = _asked_and_answered(sample, spec)
    if question is None or answer is None or question.name == answer[0].name:
        return None
    context, confidence = _context(sample), GUESS if warnings else 0.93
    if context is None and (context := _only_passage(sample, question, answer[0])) is not None:
        confidence = GUESS
        warnings.append(f"the name {context.name} does not say that it is what the answers are taken from")
    if context is None or context.name in (question.name, answer[0].name):
        return None
    filled = sample.filled(context.name)
    if filled < _FILLED:
        confidence -= 2 * DOUBT
        warnings.append(f"{context.name} is filled in {filled:.0%} of the rows, and the others would be rejected")
    left_out = remainder(sample, (question.name, context.name, answer[1]))
    rationale = f"{question.name} is asked, {answer[1]} answers, and {context.name} holds passages"
    field_map = {"question": question.name, "context": context.name, "answer": answer[1]}
    return shape(RagPassthrough.id, field_map, confidence - left_out.cost, rationale, warnings + left_out.warnings)


def _asked_and_answered(
    sample: Sample, spec: dict[str, Field]
) -> tuple[ColumnSignature | None, tuple[ColumnSignature, str] | None, list[str]]:
    """The columns of question and answer, and a warning for each whose name is only nearly conventional."""
    question, answer, warnings = named(sample.of_type(*_WORDS), spec["question"]), _answer(sample, spec["answer"].names), []
    if question is None and (question := called(sample, sample.signatures, spec["question"])) is not None:
        warnings.append(f"{question.name} is taken for the question because of a part of its name")
    if answer is None and question is not None:
        others = [one for one in sample.signatures if one.name != question.name]
        if (found := called(sample, others, spec["answer"])) is not None:
            answer = found, found.name
            warnings.append(f"{found.name} is taken for the answer because of a part of its name")
    return question, answer, warnings


def _only_passage(sample: Sample, question: ColumnSignature, answer: ColumnSignature) -> ColumnSignature | None:
    """The one other text, where it is much longer than the questions."""
    others = bodies_beside(sample, question, answer)
    is_passage = len(others) == 1 and sample.words(others[0]) >= _LONGER * sample.words(question)
    return others[0] if is_passage else None


def _context(sample: Sample) -> ColumnSignature | None:
    passages = [one for one in sample.signatures if is_text(one) or one.column_type is ColumnType.TOKENS_LIST]
    return named(passages, RagPassthrough.fields["context"])


def _answer(sample: Sample, names: Sequence[str]) -> tuple[ColumnSignature, str] | None:
    """The column of the answer, and the way to it: into its objects, where they list texts as SQuAD does."""
    for name in names:
        for one in sample.signatures:
            if plain(one.name) != name:
                continue
            if one.column_type in (*_WORDS, ColumnType.TOKENS_LIST):
                return one, one.name
            if one.column_type is ColumnType.NESTED_JSON and (key := _listed_texts(sample, one)) is not None:
                return one, f"{one.name}.{key}"
    for one in sample.of_type(ColumnType.NESTED_JSON):
        if plain(one.name).split("_")[0] in names and (key := _listed_texts(sample, one)) is not None:
            return one, f"{one.name}.{key}"
    return None


def _listed_texts(sample: Sample, signature: ColumnSignature) -> str | None:
    """The key under which a column's objects list texts: `text`, as SQuAD has it, else the first one that does."""
    held = [as_object(cell) or {} for cell in sample.cells(signature.name)]
    keys = [key for key in dict.fromkeys(("text", *held[0])) if all(_is_list_of_texts(each.get(key)) for each in held)]
    return keys[0] if keys else None


def _is_list_of_texts(value: Any) -> bool:
    listed = as_list(value)
    return listed is not None and all(isinstance(item, str) for item in listed)


def qa(sample: Sample) -> ShapeHypothesis | None:
    """A question and an answer, and Alpaca's input between them."""
    spec = QaPairPassthrough.fields
    question, answer, warnings = _asked_and_answered(sample, spec)
    if question is None or answer is None or question.name == answer[0].name:
        return (_answered(sample, question) if question is not None else None) or _asked(sample)
    exact = (plain(question.name), plain(answer[0].name)) == ("question", "answer")
    confidence = GUESS if warnings else HIGHEST if exact else 0.90
    field_map = {"question": question.name}
    about = next((one for one in sample.signatures if is_named(one, spec["input"]) and one.name != question.name), None)
    context = next((one for one in sample.signatures if is_named(one, RagPassthrough.fields["context"])), None)
    if about is not None and (is_text(about) or about.column_type in (*_WORDS, ColumnType.UNKNOWN)):
        field_map["input"] = about.name
    elif context is not None and sample.filled(context.name) >= _FILLED:
        confidence -= DOUBT
        warnings.append("there is a context column, which this mapping leaves out")
    elif context is not None and is_text(context):
        field_map["input"] = context.name
    field_map["answer"] = answer[1]
    if answer[0].column_type is ColumnType.CATEGORICAL and 2 * answer[0].unique_values <= len(sample.rows):
        confidence -= DOUBT
        warnings.append(f"{answer[0].name} has only {answer[0].unique_values} different values: is it a class?")
    left_out = remainder(sample, field_map.values())
    rationale = f"{question.name} and {answer[1]} are texts with conventional names"
    return shape(QaPairPassthrough.id, field_map, confidence - left_out.cost, rationale, warnings + left_out.warnings)


def _answered(sample: Sample, question: ColumnSignature) -> ShapeHypothesis | None:
    """A question, and the only other text."""
    others = bodies_beside(sample, question)
    if len(others) != 1:
        return None
    field_map = {"question": question.name, "answer": others[0].name}
    left_out = remainder(sample, field_map.values())
    warnings = [f"the name {others[0].name} does not say that it is the answer", *left_out.warnings]
    rationale = f"{question.name} has a conventional name, and {others[0].name} is the only other text"
    return shape(QaPairPassthrough.id, field_map, GUESS - left_out.cost, rationale, warnings)


def _asked(sample: Sample) -> ShapeHypothesis | None:
    """Two columns of texts without conventional names, of which one is all questions."""
    asks = {one.name: _questions(sample, one) for one in sample.prose}
    asked, told = [name for name, share in asks.items() if share >= 0.8], [name for name, share in asks.items() if share <= 0.2]
    if len(asked) != 1 or len(told) != 1 or len(asks) != 2:
        return None
    warnings = ["the names of the columns do not say what they are"]
    rationale = f"{asked[0]} ends in a question mark in {asks[asked[0]]:.0%} of the rows, {told[0]} in {asks[told[0]]:.0%}"
    return shape(QaPairPassthrough.id, {"question": asked[0], "answer": told[0]}, GUESS, rationale, warnings)


def _questions(sample: Sample, signature: ColumnSignature) -> float:
    cells = sample.cells(signature.name)
    return sum(isinstance(cell, str) and cell.rstrip().endswith(("?", "？", "؟")) for cell in cells) / max(1, len(cells))


def seq2seq(sample: Sample) -> ShapeHypothesis | None:
    """A source and a target: by their names, or two languages."""
    spec = Seq2SeqPair.fields
    texts = [one for one in sample.signatures if is_text(one)]
    target = named(texts, spec["target_text"])
    source = named((one for one in texts if target is None or one.name != target.name), spec["source_text"])
    if target is None:
        return _languages(sample, texts) or _called_pair(sample, texts) or _two_texts(sample)
    warnings, confidence = [], 0.92
    if source is None:
        others = bodies_beside(sample, target)
        if len(others) != 1:
            return _languages(sample, texts)
        source, confidence = others[0], GUESS
        warnings.append(f"the name {source.name} does not say that it is the source")
    left_out = remainder(sample, (source.name, target.name))
    rationale = f"{target.name} has a conventional name for a target, and {source.name} is a text"
    field_map = {"source_text": source.name, "target_text": target.name}
    return shape(Seq2SeqPair.id, field_map, confidence - left_out.cost, rationale, warnings + left_out.warnings)


def _called_pair(sample: Sample, texts: Sequence[ColumnSignature]) -> ShapeHypothesis | None:
    """Two texts of which parts of the names say what they are: `source_sentence` and `target_sentence`."""
    source, target = (called(sample, texts, Seq2SeqPair.fields[field]) for field in ("source_text", "target_text"))
    if source is None or target is None or source.name == target.name:
        return None
    left_out = remainder(sample, (source.name, target.name))
    field_map = {"source_text": source.name, "target_text": target.name}
    rationale = f"the names of {source.name} and {target.name} say in part what they are"
    return shape(Seq2SeqPair.id, field_map, GUESS - left_out.cost, rationale, left_out.warnings)


def _two_texts(sample: Sample) -> ShapeHypothesis | None:
    """Two texts and no third: one may be made of the other, and nothing but their order says which."""
    if len(sample.prose) != 2:
        return None
    source, target = sample.prose
    left_out = remainder(sample, (source.name, target.name))
    warnings = ["the names of the columns do not say what they are", *left_out.warnings]
    field_map = {"source_text": source.name, "target_text": target.name}
    rationale = f"{source.name} and {target.name} are the only texts"
    return shape(Seq2SeqPair.id, field_map, _BY_ORDER - left_out.cost, rationale, warnings)


def _languages(sample: Sample, texts: Sequence[ColumnSignature]) -> ShapeHypothesis | None:
    """Two columns, or two keys of one column's objects, named for languages; which is the source is taken from their order."""
    pair = [one.name for one in texts if plain(one.name) in _LANGUAGES]
    for nested in sample.of_type(ColumnType.NESTED_JSON):
        keys = {key: None for cell in sample.cells(nested.name) for key in as_object(cell) or ()}
        if len(keys) == 2 and all(key.lower() in _LANGUAGES for key in keys):
            pair = [f"{nested.name}.{key}" for key in keys]
    if len(pair) != 2:
        return None
    warnings = [f"the direction {pair[0]} → {pair[1]} is only the order of the columns"]
    rationale = f"{pair[0]} and {pair[1]} are named for languages"
    return shape(Seq2SeqPair.id, {"source_text": pair[0], "target_text": pair[1]}, GUESS, rationale, warnings)
