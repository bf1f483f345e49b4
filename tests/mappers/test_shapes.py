"""The mappers of chats, pairs, passages, fields, images and recordings: what they make of a row, and why they refuse one."""

from typing import Any

import pytest

from brewslm.errors import StageError
from brewslm.mappers import MAPPERS, mapper_of
from brewslm.rows import RowReason
from tests.mapping import map_one

TALK = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
CODE = "def f(x):\n\treturn x  # two spaces\n\n"


def outcome(name: str, field_map: dict[str, str], values: dict[str, Any]) -> dict[str, Any] | RowReason:
    found = map_one(name, field_map, values)
    return found if isinstance(found, dict) else found.reason


def same(name: str) -> dict[str, str]:
    """Each required field, and a pair's prompt, mapped to the column of its name."""
    return {field: field for field, spec in MAPPERS[name].fields.items() if spec.required or name == "preference_pair"}


TEXTS = {
    "text_only": ("text",),
    "label_to_classification": ("text",),
    "qa_pair_passthrough": ("question", "answer"),
    "rag_passthrough": ("question", "context", "answer"),
    "preference_pair": ("prompt", "chosen", "rejected"),
    "seq2seq_pair": ("source_text", "target_text"),
    "kv_to_structured": ("text",),
    "image_text": ("text",),
    "audio_transcript": ("transcript",),
    "safety_prompt": ("prompt",),
}


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, fields in TEXTS.items() for field in fields])
@pytest.mark.parametrize("text", [CODE, "  two  spaces ", "\r\nline\r\n", "\u00a0x\u2003"])
def test_white_space_newlines_and_code_survive_exactly(name: str, field: str, text: str) -> None:
    values = {field: f"something {field}" for field in MAPPERS[name].fields} | {field: text, "total": "7"}
    options = {"fields": "total"} if name == "kv_to_structured" else {}
    payload = outcome(name, {field: field} | same(name) | options, values)
    assert isinstance(payload, dict) and payload[field] == text


def test_white_space_in_a_chat_survives_exactly() -> None:
    talk = [{"from": "human", "value": CODE}, {"from": "gpt", "value": f"  {CODE}"}]
    payload = outcome("chat_messages_passthrough", {"messages": "c"}, {"c": talk})
    assert isinstance(payload, dict) and payload["messages"][0]["content"] == CODE and payload["reference"] == f"  {CODE}"


def test_openai_and_sharegpt_become_the_same_messages() -> None:
    shared = [{"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]
    for talk in (TALK, shared, '[{"role": "user", "content": "Hi?"}, {"from": "gpt", "value": "Hello."}]'):
        payload = outcome("chat_messages_passthrough", {"messages": "c"}, {"c": talk})
        assert payload == {"prompt": "user: Hi?", "reference": "Hello.", "messages": TALK}


def test_a_system_column_leads_the_talk_unless_it_has_a_system_message() -> None:
    field_map, system = {"messages": "c", "system": "s"}, {"role": "system", "content": "Be brief."}
    payload = outcome("chat_messages_passthrough", field_map, {"c": TALK, "s": "Be brief."})
    assert isinstance(payload, dict) and payload["messages"] == [system, *TALK]
    assert outcome("chat_messages_passthrough", field_map, {"c": [system, *TALK], "s": "Be long."}) is (
        RowReason.INVALID_MESSAGES_SHAPE
    )
    assert isinstance(outcome("chat_messages_passthrough", field_map, {"c": [system, *TALK], "s": " "}), dict)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (None, RowReason.MISSING_MESSAGES),
        ([], RowReason.MISSING_MESSAGES),
        ("hello", RowReason.MISSING_MESSAGES),
        (["hello"], RowReason.INVALID_MESSAGES_SHAPE),
        ([{"role": "wizard", "content": "x"}], RowReason.INVALID_MESSAGES_SHAPE),
        ([{"role": 1, "content": "x"}], RowReason.INVALID_MESSAGES_SHAPE),
        ([{"role": "user", "content": None}], RowReason.INVALID_MESSAGES_SHAPE),
        ([*TALK, {"role": "user", "content": " "}], RowReason.INVALID_MESSAGES_SHAPE),
        ([{"role": "user", "content": " "}], RowReason.NO_VALID_TURNS),
        (TALK[:1], RowReason.MISSING_ASSISTANT_REPLY),
        (TALK[1:], RowReason.MISSING_PROMPT),
    ],
)
def test_a_talk_says_what_it_lacks(talk: Any, reason: RowReason) -> None:
    assert outcome("chat_messages_passthrough", {"messages": "c"}, {"c": talk}) is reason


def test_parts_of_a_message_are_joined_when_all_are_text() -> None:
    parts = [{"type": "text", "text": "Hi"}, {"type": "text", "text": "?"}]
    payload = outcome("chat_messages_passthrough", {"messages": "c"}, {"c": [{"role": "user", "content": parts}, TALK[1]]})
    assert isinstance(payload, dict) and payload["messages"] == TALK
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}, TALK[1]]
    assert outcome("chat_messages_passthrough", {"messages": "c"}, {"c": image}) is RowReason.INVALID_MESSAGES_SHAPE


@pytest.mark.parametrize("given", ["", " \n", None])
def test_alpaca_puts_the_input_after_the_instruction_where_there_is_one(given: str | None) -> None:
    field_map = {"question": "instruction", "input": "input", "answer": "output"}
    values = {"instruction": "Sum up.", "input": "A long day.\n", "output": "Long."}
    assert outcome("qa_pair_passthrough", field_map, values) == {"question": "Sum up.\n\nA long day.\n", "answer": "Long."}
    values["input"] = given  # type: ignore[assignment]
    assert outcome("qa_pair_passthrough", field_map, values) == {"question": "Sum up.", "answer": "Long."}


def test_the_first_of_several_right_answers_is_taken_also_from_inside_an_object() -> None:
    row = {
        "q": "Who?",
        "c": ["One passage.", "Another."],
        "answers": {"text": ["", "Ada", "Ada Byron"], "answer_start": [0, 0, 4]},
    }
    payload = outcome("rag_passthrough", {"question": "q", "context": "c", "answer": "answers.text"}, row)
    assert payload == {"question": "Who?", "context": "One passage.\n\nAnother.", "answer": "Ada"}
    row["answers"] = '{"text": ["Ada"], "answer_start": [0]}'
    assert outcome("rag_passthrough", {"question": "q", "context": "c", "answer": "answers.text"}, row) == payload
    row["answers"] = {"text": [], "answer_start": []}
    assert (
        outcome("rag_passthrough", {"question": "q", "context": "c", "answer": "answers.text"}, row) is RowReason.MISSING_ANSWER
    )


def test_a_column_inside_an_object_is_known_by_its_beginning() -> None:
    mapper = mapper_of("seq2seq_pair", {"source_text": "translation.en", "target_text": "translation.de"})
    mapper.check_columns(["translation"])
    found = mapper.map({"translation": {"en": "Yes.", "de": "Ja."}})
    assert found == {"source_text": "Yes.", "target_text": "Ja."}
    with pytest.raises(StageError):
        mapper.check_columns(["translations"])
    assert outcome("text_only", {"text": "a.b"}, {"a.b": "A name with a dot.", "a": {"b": "no"}}) == {
        "text": "A name with a dot."
    }


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("rag_passthrough", {"question": "Why?", "answer": "So."}, RowReason.MISSING_CONTEXT),
        ("rag_passthrough", {"question": "Why?", "context": [" "], "answer": "So."}, RowReason.MISSING_CONTEXT),
        ("rag_passthrough", {"context": "c", "answer": "So."}, RowReason.MISSING_QUESTION),
        ("seq2seq_pair", {"target_text": "x"}, RowReason.MISSING_SOURCE),
        ("seq2seq_pair", {"source_text": "x", "target_text": " "}, RowReason.MISSING_TARGET),
        ("preference_pair", {"chosen": "a", "rejected": "b"}, RowReason.MISSING_PROMPT),
        ("preference_pair", {"prompt": "p", "rejected": "b"}, RowReason.MISSING_CHOSEN),
        ("preference_pair", {"prompt": "p", "chosen": "a"}, RowReason.MISSING_REJECTED),
        ("preference_pair", {"prompt": "p", "chosen": "a ", "rejected": "a"}, RowReason.IDENTICAL_PAIR),
        ("image_text", {"text": "a dog"}, RowReason.MISSING_IMAGE),
        ("image_text", {"image": {"bytes": "AAA="}, "text": "a dog"}, RowReason.MISSING_IMAGE),
        ("image_text", {"image": "a.png", "text": ""}, RowReason.EMPTY_TEXT),
        ("audio_transcript", {"audio": 3, "transcript": "x"}, RowReason.MISSING_AUDIO),
        ("audio_transcript", {"audio": "a.wav"}, RowReason.MISSING_TRANSCRIPT),
        ("safety_prompt", {"label": "safe"}, RowReason.MISSING_PROMPT),
        ("safety_prompt", {"prompt": "How?"}, RowReason.MISSING_LABEL),
        ("text_only", {"text": 3}, RowReason.MISSING_TEXT),
    ],
)
def test_each_refusal_has_its_code(name: str, values: dict[str, Any], reason: RowReason) -> None:
    assert outcome(name, same(name), values) is reason


def test_a_pair_of_talks_brings_its_own_prompt() -> None:
    values = {"chosen": TALK, "rejected": [TALK[0], {"role": "assistant", "content": "Go away."}]}
    payload = outcome("preference_pair", {"chosen": "chosen", "rejected": "rejected"}, values)
    assert payload == {"prompt": "user: Hi?", "chosen": "Hello.", "rejected": "Go away."}


def test_min_chars_counts_without_the_white_space_around() -> None:
    assert outcome("text_only", {"text": "t", "min_chars": "3"}, {"t": "  ab  "}) is RowReason.TOO_SHORT
    assert outcome("text_only", {"text": "t", "min_chars": "3"}, {"t": " abc "}) == {"text": " abc "}
    for wrong in ("many", "-1", "2.5"):
        with pytest.raises(StageError):
            mapper_of("text_only", {"text": "t", "min_chars": wrong})


def test_fields_become_their_values_in_the_order_that_was_asked_for() -> None:
    row = {"text": "Bill 7 of May 3: 12.50", "no": 7, "day": "", "parsed": {"total": 12.5, "lines": [1]}, "vat": None}
    payload = outcome("kv_to_structured", {"text": "text", "fields": "parsed.total, number=no, day, vat, parsed.lines"}, row)
    assert payload == {
        "text": "Bill 7 of May 3: 12.50",
        "entities_json": {
            "entities": [
                {"field": "total", "value": "12.5"}, {"field": "number", "value": "7"}, {"field": "lines", "value": "[1]"}
            ]
        },
        "fields": ["total", "number", "day", "vat", "lines"],
    }  # fmt: skip
    assert outcome("kv_to_structured", {"text": "text", "fields": "day,vat"}, row) is RowReason.NO_FIELDS_EXTRACTED


@pytest.mark.parametrize("fields", ["", " , ", "a=", "a,a", "b=a,b=c"])
def test_fields_that_mean_nothing_are_refused_before_any_row(fields: str) -> None:
    with pytest.raises(StageError) as refused:
        mapper_of("kv_to_structured", {"text": "t", "fields": fields})
    assert refused.value.reason.code == "invalid_request"


def test_a_field_whose_column_is_not_there_is_refused() -> None:
    with pytest.raises(StageError) as refused:
        mapper_of("kv_to_structured", {"text": "t", "fields": "totl"}).check_columns(["t", "total"])
    assert refused.value.reason.code == "column_missing" and "did you mean total?" in refused.value.cause


def test_a_file_may_be_named_by_an_object() -> None:
    row = {"image": {"bytes": None, "path": "a/b.png"}, "caption": "A dog.", "q": "What is it?"}
    field_map = {"image": "image", "text": "caption", "prompt": "q"}
    assert outcome("image_text", field_map, row) == {"image": "a/b.png", "prompt": "What is it?", "text": "A dog."}


def test_a_safety_prompt_keeps_the_answer_where_there_is_one() -> None:
    field_map = {"prompt": "p", "label": "l", "response": "r"}
    assert outcome("safety_prompt", field_map, {"p": "How?", "l": True, "r": "No."}) == {
        "prompt": "How?", "label": "true", "response": "No.",
    }  # fmt: skip
    assert outcome("safety_prompt", field_map, {"p": "How?", "l": 0}) == {"prompt": "How?", "label": "0"}
