"""lm-evaluation-harness's side of bench.eval_throughput: its hf backend, asked as its tasks ask it.

Run by bench.eval_throughput: python eval_throughput_peer.py JOB.json. Its last line is JSON. Nothing of BrewSLM is in it.
"""

import contextlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

WARM = 4
DTYPES = {"bf16": "bfloat16", "fp32": "float32"}


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Score and generate, and say how fast."""
    torch.set_num_threads(job["threads"])
    model = HFLM(pretrained=job["model"], device="cpu", dtype=DTYPES[job["precision"]], batch_size=8)
    made: dict[str, Any] = {"precision": job["precision"]}
    for name in ("two", "ten"):
        model.batch_size_per_gpu = int(job["batches"][name])
        part = job[name]
        labelled(model, part, part["prompts"][:WARM])
        began = time.perf_counter()
        said = labelled(model, part, part["prompts"])
        made[name] = {"rows_per_second": len(said) / (time.perf_counter() - began), "said": said}
    model.batch_size_per_gpu = int(job["batches"]["generate"])
    prompts = job["generate"]["prompts"]
    answered(model, prompts[:WARM], 8, job["end"])
    began = time.perf_counter()
    said = answered(model, prompts, job["generate"]["most"], job["end"])
    made["generate"] = {"rows_per_second": len(said) / (time.perf_counter() - began), "said": said}
    return made | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def labelled(model: Any, part: dict[str, Any], prompts: list[dict[str, Any]]) -> list[str]:
    """The label whose tokens are likeliest after each prompt: what `acc` of a multiple choice task takes."""
    requests = [((one["text"], label), one["ids"], ids) for one in prompts for label, ids in labels_of(part)]
    with torch.inference_mode():
        found = [score for score, _ in model._loglikelihood_tokens(requests, disable_tqdm=True)]
    count = len(part["labels"])
    rows = [found[start : start + count] for start in range(0, len(found), count)]
    return [part["labels"][max(range(count), key=row.__getitem__)] for row in rows]


def labels_of(part: dict[str, Any]) -> list[tuple[str, list[int]]]:
    """Each label with its token ids."""
    return list(zip(part["labels"], part["label_ids"], strict=True))


def answered(model: Any, prompts: list[dict[str, Any]], most: int, end: str) -> list[str]:
    """The greedy answer to each prompt."""
    asked = {"until": [end], "max_gen_toks": most, "do_sample": False}
    requests = [Instance("generate_until", {}, (one["text"], asked), number) for number, one in enumerate(prompts)]
    return [text.strip() for text in model.generate_until(requests, disable_tqdm=True)]


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = main(json.loads(Path(sys.argv[1]).read_text()))
    print(json.dumps(result))
