"""The gateway through the real server: the official client, whole and streamed, on the version that the slot points to."""

import openai
import pytest

from brewslm.handlers import handler_for
from brewslm.models.endpoint import EndpointPredictor
from brewslm.models.loading import load_model, load_tokenizer
from brewslm.models.predictors import WeightsPredictor
from brewslm.pipeline.execute import call
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.serving import wait_for
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from tests.experiments import LABELS, adopt_bundle, make_experiment, rows
from tests.running import PATIENCE_SECONDS, server, until


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


def promoted(export, variant):
    version = call("test", CreateRequest(export=export, variant=variant)).result["deployment"]
    call("test", PromoteRequest(deployment=version))
    return version


def client_of(serving, path="/serve/1/default/v1"):
    return openai.OpenAI(base_url=serving.url + path, api_key="none", max_retries=0)


def test_the_deployed_model_answers_as_the_trained_one(home, export, tiny_model, tiny_adapter):
    with server(home) as serving:
        client = client_of(serving)
        with pytest.raises(openai.APIStatusError) as unavailable:
            client.models.list()
        assert (unavailable.value.status_code, unavailable.value.response.json()["code"]) == (503, "endpoint_unavailable")
        promoted(export, "gguf-f16")
        assert [model.id for model in client.models.list()] == ["default-v1"]

        handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))
        asked = [PreparedRow.model_validate(row) for row in rows()]
        weights = WeightsPredictor(load_model(tiny_model, tiny_adapter, "fp32"), load_tokenizer(tiny_model))
        live = EndpointPredictor(f"{serving.url}/serve/1/default/v1", "default-v1")
        ours = [one.output for one in handler.predict(asked, weights)]
        assert [one.output for one in handler.predict(asked, live)] == ours

        messages = list(handler.prompt(asked[0].payload).messages)
        stream = client.chat.completions.create(model="default-v1", messages=messages, temperature=0, stream=True)
        parts = [part.choices[0].delta.content or "" for part in stream if part.choices]
        assert "".join(parts) == ours[0] and len(parts) > 1
        plain = client.completions.create(model="default-v1", prompt="the movie was", temperature=0, max_tokens=1)
        assert plain.choices[0].finish_reason == "length"


def test_the_switch_is_the_commit_and_leaves_no_gap(home, export):
    with server(home) as serving:
        wait_for(promoted(export, "gguf-f16"), PATIENCE_SECONDS)
        client = client_of(serving)

        def answering() -> str:
            return next(iter(client.models.list())).id

        assert answering() == "default-v1"
        second = promoted(export, "gguf-q8_0")
        assert answering() == "default-v2"  # at once: it was made ready before the commit
        call("test", CreateRequest(export=export))
        assert answering() == "default-v2" and wait_for(second, PATIENCE_SECONDS)


def test_a_killed_model_server_comes_back_behind_the_same_address(home, export):
    import psutil

    with server(home) as serving:
        version = promoted(export, "gguf-f16")
        psutil.Process(wait_for(version, PATIENCE_SECONDS).pid).kill()

        def answers():
            try:
                return [model.id for model in client_of(serving).models.list()]
            except openai.APIStatusError as error:
                assert error.status_code == 503
                return None

        assert until(answers, "an answer") == ["default-v1"]


def test_what_is_not_there_is_a_problem(home, project):
    with server(home) as serving:
        for path, status, code in (
            ("/serve/9/default/v1", 404, "unknown_project"),
            ("/serve/1/other/v1", 503, "endpoint_unavailable"),
        ):
            with pytest.raises(openai.APIStatusError) as problem:
                client_of(serving, path).models.list()
            assert (problem.value.status_code, problem.value.response.json()["code"]) == (status, code)
