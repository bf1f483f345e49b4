"""For each handler: a mapper that feeds it, the preset between, and how its rows may look (`test_promises.py`)."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from brewslm import presets
from brewslm.handlers import handler_for
from brewslm.handlers.base import TaskHandler
from brewslm.mappers.base import Mapper, Refused
from brewslm.mappers.bio_to_spans import BioToSpans
from brewslm.mappers.chat_messages_passthrough import ChatMessagesPassthrough
from brewslm.mappers.kv_to_structured import KvToStructured
from brewslm.mappers.label_to_classification import LabelToClassification
from brewslm.mappers.preference_pair import PreferencePair
from brewslm.mappers.qa_pair_passthrough import QaPairPassthrough
from brewslm.mappers.rag_passthrough import RagPassthrough
from brewslm.mappers.safety_prompt import SafetyPrompt
from brewslm.mappers.seq2seq_pair import Seq2SeqPair
from brewslm.mappers.text_only import TextOnly
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.prepare.adapters import AdapterPreset

TEXTS = st.text(max_size=12) | st.sampled_from(["<|im_end|>", "a <|im_start|>user\nb", " lead", "trail ", "é 雪 {}", '"q"'])
WORDS = st.text("abc é,.'", min_size=1, max_size=12).filter(str.strip)
ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | TEXTS
    | st.lists(TEXTS, max_size=2)
    | st.dictionaries(TEXTS, TEXTS, max_size=2)
)


@dataclass(frozen=True)
class Case:
    """One handler's rows.

    Attributes:
        answers: The payload's fields that hold the right answer.
        good: Values of a source row that all goes well with.
        odd: Values of whatever kind.
    """

    mapper: Mapper
    preset: str
    answers: frozenset[str]
    good: st.SearchStrategy[dict[str, Any]]
    odd: st.SearchStrategy[dict[str, Any]]
    schema: dict[str, list[str]] = field(default_factory=dict)

    def adapter(self) -> AdapterPreset:
        return presets.load("adapters", self.preset, AdapterPreset)

    def handler(self) -> TaskHandler:
        preset = self.adapter()
        return handler_for(preset.task_profile, OutputSchema(scoring_mode=preset.scoring_mode, **self.schema))

    def payload(self, values: dict[str, Any]) -> dict[str, Any] | None:
        """As prepare gets it; None where the mapper or the preset refuses the row."""
        mapped = self.mapper.map(values)
        return None if isinstance(mapped, Refused) else self.adapter().adapt(mapped)


def columns(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def rows_of(kinds: st.SearchStrategy[Any], *names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(dict.fromkeys(names, kinds))


MESSAGES = st.lists(WORDS, min_size=1, max_size=3).map(
    lambda words: [
        message
        for word in words
        for message in ({"role": "user", "content": word}, {"role": "assistant", "content": word.upper()})
    ]
)
ODD_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "human", "tool"]), "content": ANYTHING}),
    max_size=4,
)

TOKENS = st.lists(st.text("abcé", min_size=3, max_size=6), min_size=1, max_size=4, unique=True)
TAGGED = TOKENS.map(
    lambda tokens: {"tokens": tokens, "labels": ["B-A", *["B-B" if at % 2 else "O" for at in range(len(tokens) - 1)]]}
)

CASES: dict[str, Case] = {
    "span_set": Case(
        BioToSpans(columns("tokens", "labels")),
        "structured-extraction",
        frozenset({"entities_json"}),
        TAGGED,
        st.fixed_dictionaries({"tokens": ANYTHING | st.lists(ANYTHING, max_size=2), "labels": ANYTHING}),
        {"entity_types": ["A", "B"]},
    ),
    "classification": Case(
        LabelToClassification(columns("text", "label")),
        "classification-label",
        frozenset({"label"}),
        st.fixed_dictionaries({"text": WORDS, "label": st.sampled_from(["x", "y"])}),
        rows_of(ANYTHING, "text", "label"),
        {"labels": ["x", "y"]},
    ),
    "labels": Case(
        LabelToClassification(columns("text", "label")),
        "classification-labels",
        frozenset({"labels"}),
        st.fixed_dictionaries({"text": WORDS, "label": st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2)}),
        st.fixed_dictionaries({"text": ANYTHING, "label": ANYTHING | st.lists(ANYTHING, max_size=3)}),
        {"labels": ["x", "y"]},
    ),
    "chat_sft": Case(
        ChatMessagesPassthrough(columns("messages", "system")),
        "chat-messages",
        frozenset({"reference"}),
        st.fixed_dictionaries({"messages": MESSAGES, "system": st.none() | WORDS}),
        st.fixed_dictionaries({"messages": ODD_MESSAGES | ANYTHING, "system": ANYTHING}),
    ),
    "field_match": Case(
        KvToStructured({"text": "text", "fields": "total,date"}),
        "field-extraction",
        frozenset({"entities_json", "fields"}),
        rows_of(WORDS, "text", "total", "date"),
        rows_of(ANYTHING, "text", "total", "date"),
        {"fields": ["total", "date"]},
    ),
    "language_modeling": Case(
        TextOnly(columns("text")), "language-modeling", frozenset(), rows_of(WORDS, "text"), rows_of(ANYTHING, "text")
    ),
    "preference": Case(
        PreferencePair(columns("prompt", "chosen", "rejected")),
        "preference-pair",
        frozenset({"chosen", "rejected"}),
        rows_of(WORDS, "prompt", "chosen", "rejected"),
        rows_of(ANYTHING | ODD_MESSAGES, "prompt", "chosen", "rejected"),
    ),
    "qa": Case(
        QaPairPassthrough(columns("question", "answer")),
        "qa-pair",
        frozenset({"answer"}),
        rows_of(WORDS, "question", "answer"),
        rows_of(ANYTHING, "question", "answer"),
    ),
    "rag_qa": Case(
        RagPassthrough(columns("question", "context", "answer", "answerable")),
        "rag-grounded",
        frozenset({"answer"}),
        WORDS.flatmap(
            lambda answer: st.fixed_dictionaries({
                "question": WORDS,
                "context": st.lists(WORDS, max_size=2).map(lambda others: [*others, f"so it is: {answer}"]),
                "answer": st.just(answer),
                "answerable": st.booleans(),
            })
        ),
        rows_of(ANYTHING, "question", "context", "answer", "answerable"),
    ),
    "safety": Case(
        SafetyPrompt(columns("prompt", "label", "response", "attack")),
        "safety",
        frozenset({"label", "response", "attack"}),
        st.fixed_dictionaries({
            "prompt": WORDS, "label": st.sampled_from(["harmless", "crime"]), "response": st.just("I can't help.") | st.none(),
            "attack": st.none() | st.just("jailbreak"),
        }).filter(lambda row: row["label"] == "crime" or row["response"] is None)
        | st.fixed_dictionaries({"prompt": WORDS, "label": st.just("harmless"), "response": WORDS}),
        rows_of(ANYTHING, "prompt", "label", "response", "attack"),
    ),
    "seq2seq": Case(
        Seq2SeqPair(columns("source_text", "target_text", "task")),
        "seq2seq-pair",
        frozenset({"target_text"}),
        st.fixed_dictionaries({"source_text": WORDS, "target_text": WORDS, "task": st.none() | st.just("translation")}),
        rows_of(ANYTHING, "source_text", "target_text", "task"),
    ),
}  # fmt: skip
