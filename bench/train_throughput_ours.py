"""Our side of bench.train_throughput: the product's own trainer on the job's rows, in a process of its own.

Run by bench.train_throughput: python -m bench.train_throughput_ours JOB.json. Its last line is JSON.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

from brewslm.models.loading import load_model, set_threads
from brewslm.models.packed_attention import attend_within_rows
from brewslm.models.packing import Example
from brewslm.models.recipe import Recipe
from brewslm.processes.context import ChildContext
from brewslm.processes.trace import read_trace
from brewslm.stages.train import trainer as training
from brewslm.stages.train.adapter import with_adapter
from brewslm.stages.train.checkpoints import checkpoints


def main(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train, and say when each step ended."""
    set_threads()
    recipe = Recipe(
        id="bench", lora_r=job["lora_r"], lora_alpha=2 * job["lora_r"], batch_size=job["batch_size"], schedule="linear",
        warmup_share=0, learning_rate=job["learning_rate"], seed=job["seed"], pack_tokens=job["pack_tokens"], checkpoints=1,
    )  # fmt: skip
    if not job["shared"]:
        training.shared_prefix = lambda _: []
    examples = [Example(f"r{at}", ids, prompt) for at, (ids, prompt) in enumerate(job["given"])]
    model = load_model(Path(job["model"]), precision="fp32")
    attend_within_rows(model)
    plan = training.plan_for(recipe, len(examples), folder / "checkpoints", {})
    context = ChildContext(folder)
    training.build(with_adapter(model, recipe), recipe, examples, [], plan, context, "exp-1").train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    steps = read_trace(folder / "trace.jsonl", "step")
    from bench.train_throughput_peer import dev_loss

    trained = load_model(Path(job["model"]), checkpoints(folder / "checkpoints")[-1].path, "fp32")
    return {
        "ends": [step["ts"] for step in steps],
        "steps": [{"loss": step["loss"], "grad_norm": step["grad_norm"]} for step in steps],
        "dev_loss": dev_loss(trained, job["dev"]),
        "peak_mb": peak,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), Path(made))))
