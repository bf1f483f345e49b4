"""Our side of bench.eval_throughput: what evaluate asks of a model, in a process of its own.

Run by bench.eval_throughput: python -m bench.eval_throughput_ours JOB.json. Its last line is JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from brewslm.models.asking import LoadedModel
from brewslm.models.catalogue import base_model
from brewslm.models.loading import set_threads
from brewslm.models.prompt import Answered, Prompt
from brewslm.rows.manifest import OutputSchema

WARM = 4


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Score and generate, and say how fast."""
    set_threads(job["threads"])
    base = base_model(f"path:{job['model']}")
    told: list[Answered] = []
    predictor = LoadedModel(base, OutputSchema(scoring_mode="text"), precision=job["precision"]).predictor("chat", told.extend)
    made: dict[str, Any] = {"precision": job["precision"]}
    for name in ("two", "ten"):
        prompts, labels = prompts_of(job[name]), job[name]["labels"]
        predictor.label_scores(prompts[:WARM], labels)
        began = time.perf_counter()
        scores = predictor.label_scores(prompts, labels)
        made[name] = timed(prompts, began, [labels[max(range(len(row)), key=row.__getitem__)] for row in scores])
    prompts, most = prompts_of(job["generate"]), job["generate"]["most"]
    predictor.generate(prompts[:WARM], 8)
    told.clear()
    began = time.perf_counter()
    said = predictor.generate(prompts, most)
    made["generate"] = timed(prompts, began, [text.strip() for text in said]) | {"tokens": sum(one.tokens for one in told)}
    return made | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def prompts_of(part: dict[str, Any]) -> list[Prompt]:
    """As handlers make them."""
    return [Prompt(tuple(one["messages"]), one["plain"]) for one in part["prompts"]]


def timed(prompts: list[Prompt], began: float, said: list[str]) -> dict[str, Any]:
    """Rows a second, and what was said."""
    return {"rows_per_second": len(prompts) / (time.perf_counter() - began), "said": said}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
