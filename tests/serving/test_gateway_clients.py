"""The gateway as people use it: curl, /predict, a gateway beside a server that dies, lm_eval; and promotes under load."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from brewslm.handlers import handler_for
from brewslm.observe.gateway import version_statistics
from brewslm.pipeline.execute import call
from brewslm.rows.manifest import OutputSchema
from brewslm.serving import wait_for
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.stages.deploy.slot_settings import SlotSettingsRequest
from tests.experiments import LABELS, adopt_bundle, make_experiment, rows
from tests.running import PATIENCE_SECONDS, server, until

HANDLER = handler_for("classification", OutputSchema(scoring_mode="label", labels=LABELS))


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


def promoted(export, variant="gguf-f16"):
    version = call("test", CreateRequest(export=export, variant=variant)).result["deployment"]
    call("test", PromoteRequest(deployment=version))
    return version


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--max-time", str(PATIENCE_SECONDS), *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def asked(row, **more):
    return {
        "model": "default",
        "messages": list(HANDLER.prompt(row["payload"]).messages),
        "temperature": 0,
        "max_tokens": 8,
        **more,
    }


def test_curl_and_predict_and_what_was_counted(home, export):
    """One server for several promises: to start one takes seconds."""
    with server(home) as serving:
        version = promoted(export)
        url, row = serving.url + "/serve/1/default", rows()[0]
        by_json = ("--header", "Content-Type: application/json", "--data")
        whole = json.loads(curl(url + "/v1/chat/completions", *by_json, json.dumps(asked(row))))
        assert (whole["choices"][0]["message"]["content"], whole["model"]) == (row["payload"]["label"], "default-v1")
        events = curl("--no-buffer", url + "/v1/chat/completions", *by_json, json.dumps(asked(row, stream=True)))
        assert events.endswith("data: [DONE]\n\n") and events.count("data: ") > 3

        said = [json.loads(curl(url + "/predict", *by_json, json.dumps(one["payload"]))) for one in rows()[:6]]
        assert [one["output"] for one in said] == [one["payload"]["label"] for one in rows()[:6]]
        assert all(sum(one["scores"].values()) == pytest.approx(1, abs=1e-3) and one["deployment"] == version for one in said)
        text = json.loads(curl(url + "/predict", *by_json, json.dumps(row["payload"]["text"])))
        assert (text["row_id"], text["model"]) == ("input-1", "default-v1")
        assert text["scores"] == pytest.approx(said[0]["scores"], abs=1e-3)
        named = httpx2.post(url + "/predict", json={"row_id": "r7", **row["payload"]}, timeout=PATIENCE_SECONDS).json()
        assert (named["row_id"], named["problems"]) == ("r7", {})
        for body in ({"question": "x"}, {"text": ""}, ""):
            refused = httpx2.post(url + "/predict", json=body, timeout=PATIENCE_SECONDS)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
        assert httpx2.post(url + "/predict", json=3, timeout=PATIENCE_SECONDS).json()["code"] == "invalid_request"

        found = until(lambda: (got := version_statistics(1)) and got[0].statistics.requests == 13 and got[0], "13 requests")
        assert found.statistics.outcomes == {"ok": 10, "invalid_request": 3} and found.statistics.errors == 0
        assert found.statistics.first_token_seconds.n == 1 and found.statistics.tokens_per_second.p50 > 0
        assert found.statistics.prompt_tokens > 20


def test_a_gateway_of_its_own_lets_requests_wait_while_the_server_is_started_again(home, export):
    with server(home, "gateway") as gateway:
        with server(home) as serving:
            version = promoted(export)
            call("test", SlotSettingsRequest(project=1, wait_seconds=PATIENCE_SECONDS))  # a busy machine is slow to start one
            first = wait_for(version, PATIENCE_SECONDS)
            url = gateway.url
            address = url + "/serve/1/default"
            assert httpx2.get(address + "/v1/models", timeout=PATIENCE_SECONDS).json()["data"][0]["id"] == "default-v1"
            assert httpx2.get(url + "/api/projects", timeout=PATIENCE_SECONDS).status_code == 404  # it serves nothing else
            serving.kill()
        said = []
        waiting = threading.Thread(
            target=lambda: said.append(httpx2.post(address + "/predict", json=rows()[0]["payload"], timeout=2 * PATIENCE_SECONDS))
        )
        waiting.start()
        with server(home):
            waiting.join()
            assert said[0].json()["output"] == rows()[0]["payload"]["label"], said[0].text
            assert wait_for(version, PATIENCE_SECONDS).pid != first.pid
        assert gateway.process.poll() is None


def test_no_request_fails_while_versions_are_promoted_and_rolled_back(home, export):
    with server(home) as serving:
        wait_for(promoted(export), PATIENCE_SECONDS)
        url, done, models, bad = serving.url + "/serve/1/default/v1/chat/completions", threading.Event(), [], []

        def load(streamed):
            with httpx2.Client(timeout=2 * PATIENCE_SECONDS) as client:
                while not done.is_set():
                    answer = client.post(url, json=asked(rows()[0], stream=streamed))
                    whole = answer.text.endswith("data: [DONE]\n\n") if streamed else "choices" in answer.text
                    (models if answer.status_code == 200 and whole else bad).append(answer.headers.get("x-brewslm-model"))

        workers = [threading.Thread(target=load, args=(number % 2 == 0,)) for number in range(4)]
        for one in workers:
            one.start()
        try:
            second = promoted(export, "gguf-q8_0")
            until(lambda: "default-v2" in models, "an answer of the second version")
            call("test", RollbackRequest(deployment=second))
            seen = len(models)
            until(lambda: "default-v1" in models[seen + 8 :], "an answer of the first version again")
        finally:
            done.set()
            for one in workers:
                one.join()
        assert bad == [] and set(models) == {"default-v1", "default-v2"}


HARNESS = (
    ("lm-eval", "0.4.13"), ("tenacity", "9.2.1"), ("pytablewriter", "1.2.1"), ("dataproperty", "1.1.1"),
    ("mbstrdecoder", "1.1.5"), ("pathvalidate", "3.3.1"), ("tabledata", "1.3.5"), ("tcolorpy", "0.1.7"),
    ("typepy", "1.3.5"), ("chardet", "6.0.0.post1"),
)  # fmt: skip
"""What it takes beyond our own lock to ask an endpoint, and to print its table."""
TASK = """
task: reviews
dataset_path: json
dataset_kwargs: {data_files: {test: %s}}
test_split: test
num_fewshot: 0
output_type: generate_until
doc_to_text: "{{prompt}}"
doc_to_target: "{{target}}"
generation_kwargs: {until: ["\\n"], do_sample: false, max_gen_toks: 8}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["local-chat-completions", "local-completions"])
def test_lm_eval_measures_the_deployed_model_by_what_it_writes(home, export, tiny_model, tmp_path, kind):
    from bench.toolchain import installed

    packages = os.pathsep.join(str(installed(*one)) for one in HARNESS)
    system, user = HANDLER.prompt(rows()[0]["payload"]).messages[0], rows()
    chat = kind == "local-chat-completions"
    with (tmp_path / "rows.jsonl").open("w") as file:
        for row in user:
            prompt = HANDLER.prompt(row["payload"])
            text = prompt.messages[-1]["content"] if chat else prompted(tiny_model, prompt)
            file.write(json.dumps({"prompt": text, "target": row["payload"]["label"]}) + "\n")
    (tmp_path / "reviews.yaml").write_text(TASK % (tmp_path / "rows.jsonl"))
    with server(home) as serving:
        wait_for(promoted(export), PATIENCE_SECONDS)
        path = "chat/completions" if chat else "completions"
        given = f"model=default,base_url={serving.url}/serve/1/default/v1/{path}"
        given += ",tokenizer_backend=None,num_concurrent=4,max_retries=1"
        more = ["--apply_chat_template", "--system_instruction", system["content"]] if chat else []
        command = [sys.executable, "-m", "lm_eval", "run", "--model", kind, "--model_args", given, "--tasks", "reviews"]
        command += ["--include_path", str(tmp_path), "--output_path", str(tmp_path / "out"), *more]
        environment = os.environ | {"PYTHONPATH": packages, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(next(Path(tmp_path / "out").rglob("results*.json")).read_text())
    assert results["results"]["reviews"]["exact_match,none"] >= 0.9
    assert version_statistics(1)[0].statistics.outcomes == {"ok": len(user)}


def prompted(folder, prompt):
    from brewslm.models.loading import load_tokenizer
    from brewslm.models.templates import prompt_text

    return prompt_text(load_tokenizer(folder), prompt)
