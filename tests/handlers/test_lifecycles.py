"""Each handler's rows through the whole product, on a model of two layers."""

import pytest

from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
from tests.lifecycle import Journey, live, missed, proves_itself
from tests.synthetic import own_words

pytestmark = pytest.mark.usefixtures("warm_children")


@pytest.fixture
def trainable(tiny_model) -> int:
    """A project whose base model has weights."""
    made = call("test", CreateRequest(name="a journey", base_model=f"path:{tiny_model}")).project
    assert made is not None
    return made


def test_talks(trainable, tmp_path):
    kinds = ("refund", "order")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"my name is {own_words(n)}"},
                {"role": "assistant", "content": "what"},
                {"role": "user", "content": f"where is my {kinds[n % 2]}"},
                {"role": "assistant", "content": f"{kinds[n % 2]} code"},
            ]
        }
        for n in range(60)
    ]
    talk = [*rows[0]["messages"][:2], {"role": "user", "content": "where is my order"}]
    lived = live(
        Journey(
            rows, "chat_messages_passthrough", ["my refund", {"messages": talk}], {"messages": "messages"},
            train=("--set", "epochs=8"),
        ),
        trainable,
        tmp_path,
    )  # fmt: skip
    assert lived.prepared["task_profile"] == "chat_sft" and sum(lived.prepared["rows"].values()) == 60
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "nearest_talk", "copy"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["base"]["metrics"]["f1"]["high"]
    assert [answer["input"] for answer in lived.answers] == ["my refund", "where is my order"]
    assert lived.answers[1]["output"] == "order code"


def test_texts(trainable, tmp_path):
    rows = [{"text": f"the movie {own_words(n)} was not very good and the plot was awful"} for n in range(60)]
    lived = live(Journey(rows, "text_only", ["the movie was not very good"], {"text": "text"}), trainable, tmp_path)
    # nothing beats counting on letters that are drawn: the pack says so, and that the base gained nothing
    assert missed(lived.evaluated["scorecard"]["gates"]) == ["beats_counting"] and not lived.evaluated["promotable"]
    assert missed(one.model_dump() for one in lived.untuned) == ["gain_over_base", "beats_counting", "less_surprised"]
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "byte_ngram"}
    tuned, base = (systems[name]["metrics"] for name in ("tuned", "base"))
    assert tuned["perplexity"]["high"] < base["perplexity"]["low"]
    assert tuned["bits_saved"]["value"] == pytest.approx(1 - tuned["bits_per_byte"]["value"] / 8)
    assert lived.answers[0]["output"] > 0 and lived.exported["artifacts"][0]["agreement"] == 1.0


def test_forms(trainable, tmp_path):
    rows = [{"text": f"order {n % 2} {own_words(n)}", "state": str(n % 2), "city": None} for n in range(120)]
    mapped = {"text": "text", "fields": "state,city"}
    journey = Journey(rows, "kv_to_structured", ["order 1 main street", rows[0]["text"]], mapped, ("--eval-rows", "40"))
    lived = live(journey, trainable, tmp_path)
    assert lived.prepared["output_schema"]["fields"] == ["state", "city"]
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "majority", "nearest_text"}
    tuned, base = (systems[name]["metrics"] for name in ("tuned", "base"))
    assert tuned["f1"]["value"] > base["f1"]["high"] and tuned["json_validity_rate"]["value"] == 1
    assert all(answer["output"] in ({"state": "1", "city": None}, {"state": "0", "city": None}) for answer in lived.answers)


def test_passages(trainable, tmp_path):
    rows = [
        {
            "question": f"where is my {own_words(n)}",
            "context": ["the movie was dull", f"the order {n} is at main street"],
            "answer": "main street",
        }
        for n in range(60)
    ]
    mapped = {name: name for name in ("question", "context", "answer")}
    asked = {"question": "where is my order", "context": "the movie was dull\n\nthe order is at main street"}
    lived = live(Journey(rows, "rag_passthrough", [asked], mapped), trainable, tmp_path)
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "always_refuse", "nearest_passage"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["base"]["metrics"]["f1"]["high"]
    assert lived.answers[0]["output"]["answer"] == "main street" and lived.answers[0]["output"]["citation"] == 2


def test_harmful_and_harmless_prompts(trainable, tmp_path):
    rows = [
        {"prompt": f"{own_words(n)} awful and awful", "label": "crime"}
        if n % 2
        else {"prompt": f"{own_words(n)} lovely and lovely", "label": "harmless", "response": "good movie"}
        for n in range(80)
    ]
    mapped = {name: name for name in ("prompt", "label", "response")}
    lived = live(
        Journey(
            rows,
            "safety_prompt",
            ["the plot was awful and awful", "the plot was lovely and lovely"],
            mapped,
            ("--eval-rows", "24"),
            train=("--set", "epochs=12"),
        ),
        trainable,
        tmp_path,
    )
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "refuse_all", "refuse_none", "nearest_prompt"}
    assert systems["tuned"]["metrics"]["pass_rate"]["value"] > systems["refuse_all"]["metrics"]["pass_rate"]["high"]
    assert [answer["output"] for answer in lived.answers] == ["I can't help with that.", "good movie"]


def test_texts_turned_into_others(trainable, tmp_path):
    words = {"lovely": "good", "dull": "bad"}
    rows = [
        {"source": f"{word} {own_words(n)}", "target": f"the movie was {words[word]}"}
        for n, word in enumerate(["lovely", "dull"] * 30)
    ]
    mapped = {"source_text": "source", "target_text": "target"}
    lived = live(Journey(rows, "seq2seq_pair", ["dull film"], mapped), trainable, tmp_path)
    assert proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "copy", "nearest_text"}
    assert systems["tuned"]["metrics"]["chrf"]["value"] > systems["copy"]["metrics"]["chrf"]["high"]
    assert lived.answers[0]["output"] == "the movie was bad"


def test_questions(trainable, tmp_path):
    streets = ("main street", "north avenue")
    rows = [{"question": f"order {n % 2} {own_words(n)}", "answer": streets[n % 2]} for n in range(120)]
    mapped = {"question": "question", "answer": "answer"}
    asked, settings = ["order 0 code", "order 1 code"], ("--set", "epochs=8")
    journey = Journey(rows, "qa_pair_passthrough", asked, mapped, ("--eval-rows", "40"), settings)
    lived = live(journey, trainable, tmp_path)
    assert lived.prepared["task_profile"] == "qa" and proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "nearest_question"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["base"]["metrics"]["f1"]["high"]
    assert [answer["output"] for answer in lived.answers] == list(streets)


def test_marked_words(trainable, tmp_path):
    """One phrase in both types: which it is, only the word before it says."""
    kinds = (("my", "state"), ("your", "city"))
    rows = [
        {
            "tokens": [*own_words(n).split(), kinds[n % 2][0], "main", "street"],
            "labels": ["O"] * 4 + [f"{mark}-{kinds[n % 2][1]}" for mark in "BI"],
        }
        for n in range(140)
    ]
    mapped = {"tokens": "tokens", "labels": "labels"}
    asked = ["where is my main street", "where is your main street"]
    journey = Journey(rows, "bio_to_spans", asked, mapped, ("--eval-rows", "40"), ("--set", "epochs=10"))
    lived = live(journey, trainable, tmp_path)
    assert lived.prepared["output_schema"]["scoring_mode"] == "span_set" and proves_itself(lived)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "few_shot_base", "lexicon"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["lexicon"]["metrics"]["f1"]["high"]
    found = [answer["output"] for answer in lived.answers]
    assert [[(one["type"], one["start"], one["text"]) for one in spans] for spans in found] == [
        [("state", 12, "main street")], [("city", 14, "main street")],
    ]  # fmt: skip
