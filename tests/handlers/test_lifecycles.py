"""Each handler's rows through the whole product, on a model of two layers."""

import pytest

from brewslm.pipeline.execute import call
from brewslm.stages.projects import CreateRequest
from tests.lifecycle import Journey, live
from tests.synthetic import own_words


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
        Journey(rows, "chat_messages_passthrough", ["my refund", {"messages": talk}], {"messages": "messages"}),
        trainable,
        tmp_path,
    )
    assert lived.prepared["task_profile"] == "chat_sft" and sum(lived.prepared["rows"].values()) == 60
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "nearest_talk", "copy"}
    assert systems["tuned"]["metrics"]["f1"]["value"] > systems["base"]["metrics"]["f1"]["high"]
    assert [answer["input"] for answer in lived.answers] == ["my refund", "where is my order"]
    assert lived.answers[1]["output"] == "order code"


def test_texts(trainable, tmp_path):
    rows = [{"text": f"the movie {own_words(n)} was not very good and the plot was awful"} for n in range(60)]
    lived = live(Journey(rows, "text_only", ["the movie was not very good"], {"text": "text"}), trainable, tmp_path)
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "byte_ngram"}
    tuned, base = (systems[name]["metrics"] for name in ("tuned", "base"))
    assert tuned["perplexity"]["high"] < base["perplexity"]["low"]
    assert tuned["bits_saved"]["value"] == pytest.approx(1 - tuned["bits_per_byte"]["value"] / 8)
    assert lived.answers[0]["output"] > 0 and lived.exported["artifacts"][0]["agreement"] == 1.0


def test_forms(trainable, tmp_path):
    rows = [{"text": f"order {n % 2} {own_words(n)}", "state": str(n % 2), "city": None} for n in range(60)]
    mapped = {"text": "text", "fields": "state,city"}
    lived = live(Journey(rows, "kv_to_structured", ["order 1 main street"], mapped), trainable, tmp_path)
    assert lived.prepared["output_schema"]["fields"] == ["state", "city"]
    systems = lived.evaluated["scorecard"]["systems"]
    assert set(systems) == {"tuned", "base", "majority", "nearest_text"}
    tuned, base = (systems[name]["metrics"] for name in ("tuned", "base"))
    assert tuned["f1"]["value"] > base["f1"]["high"] and tuned["json_validity_rate"]["value"] == 1
    assert lived.answers[0]["output"] == {"state": "1", "city": None}
