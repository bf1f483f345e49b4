"""Shapes told by what lists and objects hold: tagged tokens, chats, values that stand in a text."""

from brewslm.mappers.base import as_object
from brewslm.mappers.bio_to_spans import BioToSpans, as_items
from brewslm.mappers.chat_messages_passthrough import ChatMessagesPassthrough
from brewslm.mappers.kv_to_structured import KvToStructured
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.preference_pair import PreferencePair
from brewslm.stages.introspect.columns import ColumnSignature, ColumnType
from brewslm.stages.introspect.remainder import remainder
from brewslm.stages.introspect.sample import Sample, is_named, is_text, named
from brewslm.stages.introspect.shape import DOUBT, HIGHEST, ShapeHypothesis, shape

_FOUND = 0.8
_TOOLS = ("tools", "functions", "tool_definitions")


def bio(sample: Sample) -> ShapeHypothesis | None:
    """Tokens and as many tags."""
    spec = BioToSpans.fields
    tag_columns = sample.of_type(ColumnType.BIO_TAG_LIST)
    token_columns = [one for one in sample.signatures if one.column_type is ColumnType.TOKENS_LIST or is_text(one)]
    if not tag_columns or not token_columns:
        return None
    labels = named(tag_columns, spec["labels"]) or tag_columns[0]
    shares = {one.name: _equal(sample, one.name, labels.name) for one in token_columns}
    best = max(shares.values())
    fitting = [one for one in token_columns if shares[one.name] == best]
    tokens = named(fitting, spec["tokens"])
    doubt = tokens is None and len(fitting) > 1
    tokens = tokens or fitting[0]
    both, equal = _lengths(sample, tokens.name, labels.name)
    if not equal and tokens.column_type is not ColumnType.TOKENS_LIST:
        return None
    warnings = [] if equal == both else [f"tokens and tags differ in number in {both - equal} of {both} rows"]
    if doubt:
        warnings.append(f"{len(fitting)} columns have as many entries as there are tags")
    if len(tag_columns) > 1:
        warnings.append(f"{len(tag_columns)} columns hold tags: {', '.join(one.name for one in tag_columns)}")
    classes = named(sample.labels, LabelToClassification.fields["label"])
    if classes is not None:
        warnings.append(f"{classes.name} could be what is to be learnt, and this mapping leaves it out")
    spaces = next((one.name for one in sample.signatures if _are_spaces(sample, one, tokens.name)), None)
    confidence = HIGHEST * best - DOUBT * doubt - DOUBT * (len(tag_columns) > 1 and not is_named(labels, spec["labels"]))
    confidence -= 2 * DOUBT * (classes is not None)
    rationale = f"{tokens.name} and {labels.name} have as many tokens as BIO tags in {equal} of {both} rows"
    field_map = {"tokens": tokens.name, "labels": labels.name} | ({"trailing_whitespace": spaces} if spaces else {})
    return shape(BioToSpans.id, field_map, confidence, rationale, warnings)


def _lengths(sample: Sample, tokens: str, labels: str) -> tuple[int, int]:
    """Rows that have both, and those of them where both have the same number of entries."""
    pairs = [(as_items(row.get(tokens)), as_items(row.get(labels))) for row in sample.rows]
    both = [(left, right) for left, right in pairs if left is not None and right is not None]
    return len(both), sum(len(left) == len(right) for left, right in both)


def _are_spaces(sample: Sample, signature: ColumnSignature, tokens: str) -> bool:
    """Whether a column says of each token if a space follows it: as many booleans, and a name that speaks of space."""
    if is_named(signature, BioToSpans.fields["trailing_whitespace"]):
        return True
    if "space" not in signature.name.lower():
        return False
    both, equal = _lengths(sample, tokens, signature.name)
    listed = [as_items(cell) or [] for cell in sample.cells(signature.name)]
    return both > 0 and both == equal and all(isinstance(item, bool) for items in listed for item in items)


def _equal(sample: Sample, tokens: str, labels: str) -> float:
    both, equal = _lengths(sample, tokens, labels)
    return equal / max(1, both)


def chat(sample: Sample) -> ShapeHypothesis | None:
    """Lists of messages."""
    spec = ChatMessagesPassthrough.fields
    talks = sample.of_type(ColumnType.CHAT_MESSAGES)
    if not talks:
        return None
    messages = named(talks, spec["messages"]) or talks[0]
    confidence, warnings = HIGHEST if is_named(messages, spec["messages"]) else 0.90, []
    system = named(
        (one for one in sample.signatures if is_text(one) or one.column_type is ColumnType.CATEGORICAL), spec["system"]
    )
    field_map = {"messages": messages.name} | ({"system": system.name} if system else {})
    left_out = remainder(sample, field_map.values())
    confidence -= left_out.cost
    warnings += left_out.warnings
    if any(is_named(one, PreferencePair.fields[field]) for one in sample.signatures for field in ("chosen", "rejected")):
        confidence -= DOUBT
        warnings.append("one of two answers is left out: is it a pair of which one is preferred?")
    if tools := [one for one in sample.signatures if is_named(one, _TOOLS) and one.column_type is not ColumnType.UNKNOWN]:
        confidence -= 2 * DOUBT
        warnings.append(f"the talk may use what {tools[0].name} lists, which this mapping leaves out")
    rationale = f"{messages.name} holds lists of messages in every row where it is not empty"
    return shape(ChatMessagesPassthrough.id, field_map, confidence, rationale, warnings)


def fields(sample: Sample) -> ShapeHypothesis | None:
    """A text, and columns whose values stand in it word for word."""
    best: tuple[ColumnSignature, dict[str, float]] | None = None
    for text in sample.prose:
        found = _values_in(sample, text)
        if len(found) >= 2 and (best is None or len(found) > len(best[1])):
            best = (text, found)
    if best is None:
        return None
    text, found = best
    share = sum(found.values()) / len(found)
    field_map = {"text": text.name, "fields": ",".join(found)}
    rationale = f"the values of {', '.join(found)} stand in {text.name} in {share:.0%} of the rows"
    left_out = remainder(sample, (text.name, *found))
    kinds = [one.name for one in sample.of_type(ColumnType.CATEGORICAL) if one in sample.labels and one.name not in found]
    if kinds:
        left_out.add(DOUBT, f"{', '.join(kinds)} may say what the values are to each other, and this mapping leaves it out")
    return shape(KvToStructured.id, field_map, HIGHEST * share - left_out.cost, rationale, left_out.warnings)


def _values_in(sample: Sample, text: ColumnSignature) -> dict[str, float]:
    """Column (or place in its objects) → the share of its values that stand in the row's text, where it is most of them."""
    found: dict[str, float] = {}
    for signature in sample.signatures:
        if signature.name == text.name or "," in signature.name or "=" in signature.name:
            continue
        for column in _places(sample, signature):
            share = sample.share_standing_in(column, text.name)
            if share >= _FOUND:
                found[column] = share
    return found


def _places(sample: Sample, signature: ColumnSignature) -> list[str]:
    """The column, or the keys of its objects."""
    if signature.column_type is not ColumnType.NESTED_JSON:
        return [signature.name]
    keys = {key: None for cell in sample.cells(signature.name) for key in as_object(cell) or ()}
    return [f"{signature.name}.{key}" for key in keys if not {",", "=", "."} & set(key)]
