"""Held-out rows as a task of lm-evaluation-harness: its YAML, and the rows that it reads.

Prompts are the plain ones: the harness puts them to a model as they are, or through the chat template where it is told to
(`--apply_chat_template`). Keys as in its docs/task_guide.md (0.4.13).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from brewslm.errors import StageError
from brewslm.handlers.base import TaskHandler
from brewslm.handlers.generating import GeneratingHandler
from brewslm.reasons.refusals import InvalidRequest
from brewslm.rows.manifest import PreparedRow

Task = dict[str, Any]
ROWS_FILE = "rows.jsonl"
_MATCH = {
    "metric": "exact_match",
    "aggregation": "mean",
    "higher_is_better": True,
    "ignore_case": True,
    "ignore_punctuation": True,
}
_CHRF = {"metric": "chrf", "aggregation": "chrf", "higher_is_better": True}
_BLEU = {"metric": "bleu", "aggregation": "bleu", "higher_is_better": True}
_ACC = {"metric": "acc", "aggregation": "mean", "higher_is_better": True}
_BITS = {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False}
_METRICS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("classification", "label"): [_ACC],
    ("preference", "preference"): [_ACC],
    ("language_modeling", "likelihood"): [_BITS],
    ("qa", "text"): [_MATCH],
    ("chat_sft", "text"): [_CHRF],
    ("seq2seq", "text"): [_CHRF, _BLEU, _MATCH],
}
"""Task profile and scoring mode → the harness's metrics of it. What is not here, it has no metric for."""


def lm_eval_task(handler: TaskHandler, name: str, rows_path: str) -> Task:
    """The task as the harness's YAML has it.

    Args:
        rows_path: Where `lm_eval_rows` will stand when it is run.

    Raises:
        StageError(InvalidRequest): The harness has no metric for rows of this kind.
    """
    metrics = _METRICS.get((handler.profile, handler.scoring_mode))
    if metrics is None:
        known = ", ".join(f"{profile} ({mode})" for profile, mode in _METRICS)
        what = f"{handler.profile} ({handler.scoring_mode}) can't be said as a task of lm-evaluation-harness"
        raise StageError(InvalidRequest(), what, cause=f"it has no metric for it; known: {known}")
    task: Task = {
        "task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": rows_path}}, "test_split": "test",
        "num_fewshot": 0,
    }  # fmt: skip
    if handler.profile == "language_modeling":
        task |= {"output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{target}}"}
    elif isinstance(handler, GeneratingHandler):
        most = {"until": ["\n"], "do_sample": False, "max_gen_toks": handler.max_new_tokens}
        task |= {
            "output_type": "generate_until", "doc_to_text": "{{prompt}}", "doc_to_target": "{{target}}",
            "generation_kwargs": most,
        }  # fmt: skip
    else:
        task |= {
            "output_type": "multiple_choice", "doc_to_text": "{{prompt}}", "doc_to_choice": "choices", "doc_to_target": "answer",
            "target_delimiter": " ",
        }  # fmt: skip
    return task | {"metric_list": metrics, "metadata": {"version": 1.0}}


def lm_eval_rows(handler: TaskHandler, rows: Sequence[PreparedRow]) -> Iterator[dict[str, Any]]:
    """The rows that the task reads: prompt with choices and the place of the right one, or with the right text."""
    for row in rows:
        prompt, right = handler.prompt(row.payload).plain, handler.completion(row.payload)
        if handler.objective == "preference":
            yield {"row_id": row.row_id, "prompt": prompt, "choices": [right, handler.worse(row.payload)], "answer": 0}
        elif handler.schema.labels:
            choices = sorted({*handler.schema.labels, right})
            yield {"row_id": row.row_id, "prompt": prompt, "choices": choices, "answer": choices.index(right)}
        else:
            yield {"row_id": row.row_id, "prompt": prompt, "target": right}


def as_yaml(task: Task) -> str:
    """The task's file."""
    return str(yaml.safe_dump(task, sort_keys=False, allow_unicode=True))
