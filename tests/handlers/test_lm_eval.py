"""Held-out rows as a task of lm-evaluation-harness."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.handlers.lm_eval import as_yaml, lm_eval_rows, lm_eval_task
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.settings import settings
from tests.experiments import make_experiment, rows

HARNESS = "0.4.13"
LOAD = """
import json, sys
from lm_eval.tasks import TaskManager
(task,) = TaskManager(include_path=sys.argv[1], include_defaults=False).load_task_or_group([sys.argv[2]]).values()
docs = list(task.test_docs())
print(json.dumps({
    "type": task.OUTPUT_TYPE,
    "text": [task.doc_to_text(doc) for doc in docs],
    "target": [task.doc_to_target(doc) for doc in docs],
    "choices": [task.doc_to_choice(doc) for doc in docs] if task.OUTPUT_TYPE == "multiple_choice" else [],
    "metrics": sorted(task.aggregation()),
}))
"""
TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
KINDS = {
    ("classification", "label"): ({"text": "fine", "label": "yes"}, {"labels": ["no", "yes"]}, "multiple_choice", ["acc"]),
    ("preference", "preference"): ({"prompt": "p", "chosen": "c", "rejected": "r"}, {}, "multiple_choice", ["acc"]),
    ("qa", "text"): ({"question": "who", "answer": "me"}, {}, "generate_until", ["exact_match"]),
    ("seq2seq", "text"): (
        {"source_text": "a", "target_text": "b"}, {}, "generate_until", ["bleu", "chrf", "exact_match"],
    ),
    ("chat_sft", "text"): (
        {"prompt": "hi", "messages": TALK, "reference": "ho"},
        {}, "generate_until", ["chrf"],
    ),
    ("language_modeling", "likelihood"): ({"text": "so it goes"}, {}, "loglikelihood_rolling", ["bits_per_byte"]),
}  # fmt: skip


def made(kind):
    payload, schema, _, _ = KINDS[kind]
    handler = handler_for(kind[0], OutputSchema(scoring_mode=kind[1], **schema))
    return handler, [PreparedRow(row_id="r", payload=payload)]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_row_is_asked_as_the_base_is_at_its_plain_prompt(kind):
    handler, rows_ = made(kind)
    task = yaml.safe_load(as_yaml(lm_eval_task(handler, "mine", "rows.jsonl")))
    (row,) = lm_eval_rows(handler, rows_)
    assert (task["task"], task["output_type"]) == ("mine", KINDS[kind][2])
    assert sorted(one["metric"] for one in task["metric_list"]) == KINDS[kind][3]
    assert row["prompt"] == handler.prompt(rows_[0].payload).plain
    right = row["choices"][row["answer"]] if "choices" in row else row["target"]
    assert right == handler.completion(rows_[0].payload)


def test_what_the_harness_has_no_metric_for_is_refused():
    with pytest.raises(StageError, match="can't be said as a task") as refused:
        lm_eval_task(handler_for("safety", OutputSchema(scoring_mode="refusal")), "mine", "rows.jsonl")
    assert "qa (text)" in refused.value.cause


@pytest.fixture
def exported(project, tiny_base, tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"")
    make_experiment(project, tiny_base, tmp_path / "adapter", promotable=None)
    folder = tmp_path / "harness"
    done = CliRunner().invoke(app, ["manifest", "export-lm-eval", "--project", str(project), "--out", str(folder)])
    assert done.exit_code == 0 and "24 rows and brewslm_p1_v1_classification.yaml" in done.stdout
    return folder


def test_a_task_is_written_once(exported, project):
    task = yaml.safe_load((exported / "brewslm_p1_v1_classification.yaml").read_text())
    written = Path(task["dataset_kwargs"]["data_files"]["test"])
    assert [json.loads(line)["row_id"] for line in written.read_text().splitlines()] == [row["row_id"] for row in rows()]
    again = CliRunner().invoke(app, ["manifest", "export-lm-eval", "--project", str(project), "--out", str(exported)])
    assert again.exit_code == 2 and "is there already" in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_the_harness_loads_each_task_and_asks_the_same(kind, tmp_path):
    handler, rows_ = made(kind)
    (tmp_path / "mine.yaml").write_text(as_yaml(lm_eval_task(handler, "mine", str(tmp_path / "rows.jsonl"))))
    lines = list(lm_eval_rows(handler, rows_))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    environment = os.environ | {"PYTHONPATH": str(harness()), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path), "mine"], env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    _, _, output_type, metrics = KINDS[kind]
    assert (found["type"], found["metrics"]) == (output_type, metrics)
    assert found["text"] == ["" if output_type == "loglikelihood_rolling" else lines[0]["prompt"]]
    assert found["target"] == [lines[0].get("answer", lines[0].get("target"))]
    assert found["choices"] == ([lines[0]["choices"]] if "choices" in lines[0] else [])


def harness() -> Path:
    """A folder with the harness; what it needs besides is ours, in the same versions."""
    from uv import find_uv_bin

    folder = settings().cache / "toolchains" / f"lm-eval-{HARNESS}"
    if not (folder / "lm_eval").exists():
        install = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"lm-eval=={HARNESS}"]
        subprocess.run(install, check=True)
    return folder
