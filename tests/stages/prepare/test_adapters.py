"""Adapter presets: every one reads the rows of its mapper; those of one's own are strict."""

import orjson
import pytest

from brewslm import presets
from brewslm.errors import StageError
from brewslm.mappers import MAPPERS
from brewslm.observe.adapters import adapters
from brewslm.rows import row_id
from brewslm.stages.prepare.adapters import AdapterPreset, adapter_named
from brewslm.store.files import project_folder, write_atomic
from tests.stages.prepare.preparing import data, failure, prepare, rejected
from tests.synthetic import add_rows, own_words

WANTED = {
    "default-canonical", "qa-pair", "chat-messages", "classification-label", "structured-extraction", "rag-grounded",
    "preference-pair", "seq2seq-pair", "vision-language", "audio-transcript", "safety", "auto",
}  # fmt: skip
MAPPED = {
    "audio_transcript": {"audio": "a.wav", "transcript": "so it was said"},
    "chat_sft": {"prompt": "hello", "reference": "good day", "messages": [{"role": "user", "content": "hello"}]},
    "classification": {"text": "a film", "label": "good"},
    "language_modeling": {"text": "a film"},
    "preference": {"prompt": "a film", "chosen": "good", "rejected": "bad"},
    "qa": {"question": "a film", "answer": "good"},
    "rag_qa": {"question": "a film", "context": "it was good", "answer": "good"},
    "safety": {"prompt": "a film", "label": "safe"},
    "seq2seq": {"source_text": "a film", "target_text": "ein Film"},
    "structured_extraction": {"text": "a film", "entities_json": {"entities": []}},
    "vision_language": {"image": "a.png", "text": "a film"},
}


def reads(payload):
    return lambda known: next(name for name, preset in known.items() if preset.adapt(payload) is not None)


def test_every_preset_that_was_promised_is_there_and_listed():
    assert {one.name for one in adapters()} >= WANTED
    assert all(one.meaning for one in adapters())


def test_every_task_profile_that_a_mapper_makes_has_a_preset_that_reads_it():
    profiles = {MAPPERS[name].task_profile for name in MAPPERS}
    assert profiles == set(MAPPED)
    for profile, payload in MAPPED.items():
        name, preset = adapter_named("auto", lambda profile=profile: profile, None, reads(payload))
        assert preset.task_profile == profile in preset.accepts
        assert preset.adapt(payload) == payload, name
        assert preset.text(payload) and preset.target(payload)


@pytest.mark.parametrize("name", presets.names("adapters"))
def test_a_row_that_lacks_a_field_is_not_read(name):
    preset = presets.load("adapters", name, AdapterPreset)
    payload = dict(MAPPED[preset.task_profile])
    payload.pop(preset.target_field, None)
    assert preset.adapt(payload) is None


def test_of_two_presets_of_a_profile_the_one_that_reads_most_rows_is_taken(project):
    spans = {"entities": [{"type": "Number", "start": 0, "end": 1, "text": "1"}]}
    values = {"entities": [{"field": "number", "value": "1"}]}
    add_rows(project, [{"text": f"1 street {own_words(n)}", "entities_json": spans} for n in range(6)])
    forms = [{"text": f"1 lane {own_words(n + 9)}", "entities_json": values, "fields": ["number", "name"]} for n in range(8)]
    add_rows(project, forms, source="forms", import_run="import-2")
    read = prepare(project)
    assert (read["adapter_preset"], read["ledger"]["rejected"]) == ("field-extraction", {"profile_mismatch": 6})
    assert (read["output_schema"]["scoring_mode"], read["output_schema"]["fields"]) == ("field_match", ["number", "name"])
    other = prepare(project, adapter="structured-extraction")
    assert (other["output_schema"]["scoring_mode"], other["ledger"]["rejected"]) == ("span_set", {"profile_mismatch": 8})


def test_default_canonical_keeps_what_auto_leaves_out(project):
    rows = [{"question": f"what is {own_words(n)}", "answer": own_words(n + 99), "hint": "none"} for n in range(20)]
    add_rows(project, rows)
    plain, whole = prepare(project), prepare(project, adapter="default-canonical")
    assert {tuple(row.payload) for row in data(project, plain).rows("train")} == {("question", "answer")}
    assert {tuple(sorted(row.payload)) for row in data(project, whole).rows("train")} == {("answer", "hint", "question")}


def test_a_preset_of_ones_own_names_its_columns(project, tmp_path):
    own = tmp_path / "tickets.yaml"
    own.write_text(
        "task_profile: qa\naccepts: [qa]\nscoring_mode: text\nfields: {question: [ask, question], answer: [answer]}\n"
        "input_field: question\ntarget_field: answer\n"
    )
    add_rows(project, [{"ask": f"what is {own_words(n)}", "answer": own_words(n + 99)} for n in range(20)])
    result = prepare(project, adapter=str(own))
    assert (result["adapter_preset"], sum(result["rows"].values())) == ("tickets", 20)
    assert {tuple(row.payload) for row in data(project, result).rows("train")} == {("question", "answer")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task_profile: qa\nacepts: [qa]\n", "did you mean accepts?"),
        ("- a list\n", "can't be used"),
        ("a: [", "can't be read"),
        (None, "can't be read"),
    ],
)
def test_a_preset_that_is_none_says_why(tmp_path, text, said):
    path = tmp_path / "own.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StageError) as refused:
        adapter_named(str(path), lambda: "qa", None)
    assert refused.value.reason.code == "invalid_request" and said in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"adapter": "qa-piar"}, "adapter qa-piar is not known"),
        ({"adapter": "preference-pair"}, "preference rows can't be split"),
        ({"adapter": "qa-pair", "task_profile": "classification"}, "does not fit task profile classification"),
    ],
)
def test_a_preset_that_fits_no_row_is_refused_and_nothing_is_written(project, asked, said):
    add_rows(project, [{"question": f"what is {own_words(n)}", "answer": own_words(n + 99)} for n in range(20)])
    assert said in str(failure(project, **asked))
    assert not list((project_folder(project) / "prepared").glob("*"))


def test_questions_without_passages_get_the_best_chunks(project):
    """Chunk n speaks of what question n asks; one question is about nothing that any chunk holds."""
    rows = [{"question": f"what is {own_words(n)}?", "answer": f"it is {own_words(n + 500)}"} for n in range(20)]
    ids = add_rows(project, [*rows, {"question": "qqqq", "answer": "nobody knows"}])
    chunks = [
        {"row_id": row_id("d", n + 1), "document": 1, "text": f"Of {own_words(n)} there is one, in {own_words(n + 500)}."}
        for n in range(20)
    ]
    write_atomic(project_folder(project) / "cleaned" / "chunks.jsonl", b"".join(orjson.dumps(one) + b"\n" for one in chunks))
    result = prepare(project, adapter="rag-grounded", contexts=2)
    assert result["task_profile"] == "rag_qa" and sum(result["rows"].values()) == 20
    prepared = data(project, result)
    for row in [*prepared.rows("train"), *prepared.rows("eval")]:
        n = rows.index({"question": row.payload["question"], "answer": row.payload["answer"]})
        assert row.payload["context_chunks"][0] == chunks[n]["row_id"]
        assert row.payload["context"].startswith(chunks[n]["text"])
    assert rejected(project)[ids[20]] == "profile_mismatch"


def test_without_cleaned_documents_there_are_no_passages(project):
    add_rows(project, [{"question": "what", "answer": "that"}] * 2)
    assert "no document was cleaned" in str(failure(project, contexts=3))
