"""The model server on transformers: the handler's own answers to rows, and OpenAI's API of a causal model."""

import json
import threading

import httpx2
import openai
import psutil
import pytest

from brewslm.handlers import handler_for
from brewslm.models.architectures import architecture_for
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.models.prompt import Prompt
from brewslm.models.writer import Answer, Wish, Writer
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.serving import ModelServerFailed
from brewslm.serving.asking import Unanswered, answers
from brewslm.serving.model_server import busy_slots
from brewslm.serving.targets import Servable
from brewslm.serving.temporary import serve_for_now
from brewslm.store.files import read_json, write_json
from tests.experiments import LABELS, rows
from tests.running import PATIENCE_SECONDS, gone, until
from tests.tiny import make_tiny_encoder

SCHEMA = OutputSchema(scoring_mode="label", labels=LABELS)
HANDLER = handler_for("classification", SCHEMA)
ROWS = [PreparedRow.model_validate(row) for row in rows(8)]


def servable(bundle, variant="hf", **settings):
    artifact = {"path": variant, "weights": f"{variant}/model.safetensors"}
    return Servable(
        version_id=0, project_id=1, target="local", model="tiny-v1", variant=variant, bundle=bundle, artifact=artifact,
        settings=settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return tiny_bundle


@pytest.fixture(scope="module")
def live(bundle):
    """One real child for all tests of the causal model."""
    with serve_for_now(servable(bundle)) as endpoint:
        yield endpoint
        process = psutil.Process(endpoint.pid)
    gone([process])


@pytest.fixture(scope="module")
def weights(bundle):
    return WeightsPredictor(load_model(bundle / "hf", precision="fp32"), load_tokenizer(bundle / "hf"))


@pytest.fixture
def client(live):
    return openai.OpenAI(base_url=live.base_url, api_key="none", max_retries=0)


def messages(place=0):
    return list(HANDLER.prompt(ROWS[place].payload).messages)


def test_rows_are_answered_as_an_evaluation_answers_them(live, weights):
    found, wanted = answers(live, HANDLER, ROWS), HANDLER.predict(ROWS, weights)
    assert [one.output for one in found] == [one.output for one in wanted] == [row.payload["label"] for row in ROWS]
    assert [one.row_id for one in found] == [row.row_id for row in ROWS]
    for one, other in zip(found, wanted, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_the_official_client_is_answered_whole_and_in_parts(live, client):
    assert [model.id for model in client.models.list()] == ["tiny-v1"]
    whole = client.chat.completions.create(model="tiny-v1", messages=messages(), max_tokens=16)
    said, usage = whole.choices[0], whole.usage
    assert said.message.content == ROWS[0].payload["label"] and said.finish_reason == "stop"
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    stream = client.chat.completions.create(
        model="tiny-v1", messages=messages(), max_tokens=16, stream=True, stream_options={"include_usage": True}
    )
    parts = list(stream)
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert text == said.message.content and parts[0].choices[0].delta.role == "assistant"
    assert parts[-2].choices[0].finish_reason == "stop" and parts[-1].usage == usage
    cut = client.chat.completions.create(model="tiny-v1", messages=messages(), max_tokens=1).choices[0]
    assert cut.finish_reason == "length" and said.message.content.startswith(cut.message.content)


def test_an_answer_stops_before_a_stop_text_and_keeps_to_a_schema(client):
    word = ROWS[0].payload["label"]
    stopped = client.chat.completions.create(model="m", messages=messages(), stop=[word[3:5], "never"])
    assert stopped.choices[0].message.content == word[:3] and stopped.choices[0].finish_reason == "stop"
    streamed = client.chat.completions.create(model="m", messages=messages(), stop=word[3:5], stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in streamed) == word[:3]
    schema = {"type": "object", "properties": {"label": {"enum": LABELS}}, "required": ["label"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    kept = client.chat.completions.create(model="m", messages=messages(), response_format=form).choices[0].message.content
    assert json.loads(kept)["label"] in LABELS


def test_a_seed_gives_the_same_words_again(client):
    def said(seed):
        asked = {"model": "m", "prompt": "the movie was", "max_tokens": 12, "temperature": 2.0, "seed": seed}
        return client.completions.create(**asked).choices[0].text

    assert said(1) == said(1) and len({said(seed) for seed in range(2, 7)}) > 1


def test_it_tells_tokens_as_the_smoke_check_asks_for_them(live, bundle):
    trace, asker = read_json(bundle / "smoke-trace.json"), EndpointPredictor(live.base_url, "tiny-v1")
    one = trace["prompts"][0]
    assert asker.prompt_length(Prompt(tuple(one["messages"]), plain="")) == len(one["prompt_ids"])
    assert asker.next_token(one["prompt_ids"]) == one["expected"][0]
    assert asker.known_models() == ["tiny-v1"]
    asked = {"prompt": one["prompt_ids"], "max_tokens": 3, "logprobs": 1}
    plain = httpx2.post(f"{live.base_url}/completions", json=asked, timeout=PATIENCE_SECONDS).json()
    steps = plain["choices"][0]["logprobs"]["content"]
    assert [step["id"] for step in steps] == one["expected"][: len(steps)] and all(step["logprob"] <= 0 for step in steps)


def test_a_caller_that_goes_away_ends_the_work(live, client, bundle):
    asked = {"model": "m", "messages": messages(), "max_tokens": 400, "temperature": 2.0, "seed": 3, "stream": True}
    with client.chat.completions.create(**asked) as stream:
        next(iter(stream))
    until(lambda: busy_slots(live.address) == 0, "an idle server")
    assert client.completions.create(model="m", prompt="the", max_tokens=1).usage.completion_tokens == 1
    writer = Writer(load_model(bundle / "hf", precision="fp32"), load_tokenizer(bundle / "hf"))
    answer = Answer()
    parts = writer.write(writer.text_ids("the movie was"), Wish(400, temperature=1.5, seed=1), answer)
    next(parts)
    parts.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "writer"]
    assert answer.tokens < 400


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/chat/completions", {"messages": [{"role": "user", "content": "x"}], "tools": []}, 400, "tools: this server does not"),
        ("/chat/completions", {"messages": []}, 400, "messages"),
        ("/chat/completions", {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "must be a text"),
        ("/chat/completions", {"messages": [{"role": "user", "content": "x"}], "n": 2}, 400, "n: "),
        ("/chat/completions", {"messages": [{"role": "user", "content": "good " * 600}]}, 400, "the model's context is 512"),
        ("/completions", {"prompt": ""}, 400, "the prompt is empty"),
        ("/completions", {"prompt": "x", "logprobs": 1, "stream": True}, 400, "logprobs"),
        ("/embeddings", {"input": "x"}, 404, "does not answer at /v1/embeddings"),
    ],
)
def test_what_it_can_not_do_is_said_in_openais_words(live, path, body, status, said):
    found = httpx2.post(live.base_url + path, json={"model": "tiny-v1"} | body, timeout=PATIENCE_SECONDS)
    assert found.status_code == status and said in found.json()["error"]["message"], found.text


def test_rows_that_can_not_be_asked_are_refused_and_it_goes_on(live):
    def sent(body):
        return httpx2.post(live.rows_url, content=body if isinstance(body, bytes) else json.dumps(body), timeout=PATIENCE_SECONDS)

    for body in (b"no json", {"rows": [{"row_id": "a"}]}, {"rows": [{"row_id": "a", "payload": {}, "more": 1}]}, {"row": []}):
        assert sent(body).status_code == 400
    for payload in ({}, {"text": ""}, {"text": 7}):
        found = sent({"rows": [{"row_id": "a", "payload": payload}]})
        assert found.status_code == 422 and "classification is asked by text" in found.json()["error"]["message"]
    many = sent({"rows": [{"row_id": str(place), "payload": {"text": "x"}} for place in range(257)]})
    assert many.status_code == 422 and "at most 256" in many.json()["error"]["message"]
    assert busy_slots(live.address) == 0
    with pytest.raises(Unanswered, match="HTTP 422"):
        answers(live, HANDLER, [PreparedRow(row_id="a", payload={})])


def test_a_folder_that_is_no_model_is_told_with_the_servers_last_words(bundle, tmp_path):
    folder = tmp_path / "bundle" / "hf"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}')
    write_json(folder.parent / "manifest.json", read_json(bundle / "manifest.json"))
    with pytest.raises(ModelServerFailed, match="status 1; last it said"), serve_for_now(servable(folder.parent)):
        pass


def test_an_encoder_answers_rows_alone(tmp_path):
    from fastapi.testclient import TestClient

    from brewslm.serving.transformers_server import ModelOfRows, app

    base = make_tiny_encoder(tmp_path / "base")
    encoder = architecture_for("encoder", base, SCHEMA)
    model = encoder.load(None, "fp32")
    folder = tmp_path / "bundle" / "hf"
    model.save_pretrained(folder)
    encoder.save_reader(folder)
    prompt_format = {"task_profile": "classification", "output_schema": SCHEMA.model_dump(mode="json")}
    write_json(folder.parent / "manifest.json", {"prompt_format": prompt_format})
    wanted = HANDLER.predict(ROWS, encoder.predictor(model))
    asker = TestClient(app(ModelOfRows(folder, folder.parent, "fp32"), "enc-v1"))
    body = {"rows": [{"row_id": row.row_id, "payload": row.payload} for row in ROWS]}
    said = asker.post("/predict", json=body).json()
    assert said["model"] == "enc-v1" and [one["output"] for one in said["predictions"]] == [one.output for one in wanted]
    assert said["predictions"][0]["scores"] == pytest.approx(wanted[0].scores, abs=1e-5)
    chat = asker.post("/v1/chat/completions", json={"model": "enc-v1", "messages": [{"role": "user", "content": "x"}]})
    assert chat.status_code == 404 and "it takes rows, at /predict" in chat.json()["error"]["message"]
    assert asker.get("/health").status_code == 200 and asker.get("/slots").json() == []
    assert not servable(folder.parent).chats and servable(folder.parent, "gguf-f16").chats
