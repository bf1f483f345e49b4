"""Task kind × format × variant: each cell is exported, loaded and run here, or named impossible with its cause.

Run: python -m bench.export_matrix [KIND …] [--toolchains]. Every command is one that a person would type. Models are made on the
spot, but for SmolLM2-135M, which shows the figures of a real one. With --toolchains, formats that need one are made too (it must
be installed); else their cells say which. What was measured before is kept, so that a run that was cut off goes on; --again
measures anew. About a quarter of an hour on two quiet cores.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.export_matrix_rows import KINDS, Kind, written
from bench.report import RESULTS, write
from brewslm.models.catalogue import base_model
from brewslm.models.formats import FORMATS, TABLE, Format, impossible

PACKAGES = ("torch", "transformers", "peft", "gguf", "llama-cpp-python", "xllamacpp")
REAL = "classification, SmolLM2-135M"
GOAL: dict[str, dict[str, float]] = {
    "cells.failed": {"at_most": 0},
    "agreement.merged": {"at_least": 1.0},
    "agreement.f16": {"at_least": 0.99},
}
"""The agreements are those of SmolLM2-135M: greedy of the merged folder, and top-1 of the F16 file."""


def main() -> None:
    """Measure those that are named, or all that were not measured yet."""
    before = RESULTS / "export_matrix.json"
    known: dict[str, Any] = json.loads(before.read_text())["measured"]["kinds"] if before.exists() else {}
    named = [word for word in sys.argv[1:] if not word.startswith("--")]
    for name in named or KINDS:
        if name in known and "--again" not in sys.argv and name not in named:
            continue
        known[name] = measured(KINDS[name])
        print(f"{name}: {counted({name: known[name]})}", file=sys.stderr, flush=True)
        kinds = {each: known[each] for each in KINDS if each in known}
        if REAL in kinds and kinds[REAL]["agreement"]:
            write(
                "export_matrix",
                {"cells": counted(kinds), "agreement": kinds[REAL]["agreement"], "kinds": kinds},
                {},
                GOAL,
                PACKAGES,
            )
        else:
            without = {path: limit for path, limit in GOAL.items() if not path.startswith("agreement")}
            write("export_matrix", {"cells": counted(kinds), "kinds": kinds}, {}, without, PACKAGES)


def counted(kinds: dict[str, Any]) -> dict[str, int]:
    """How many cells ran, are impossible, need a toolchain, or failed."""
    states = [cell["state"] for kind in kinds.values() for cell in kind["formats"].values()]
    return {state: states.count(state) for state in ("ran", "impossible", "needs a toolchain", "failed")}


def measured(kind: Kind) -> dict[str, Any]:
    """From an empty home to every format."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as work:
        home, folder = Path(work) / "home", Path(work) / "rows"
        folder.mkdir()
        base = made_base(kind.base, Path(work) / "base")
        project = said(home, "project", "create", "matrix", "--base-model", base)["project"]
        here = ("--project", project)
        columns = [word for name, column in kind.mapped.items() for word in ("--map", f"{name}={column}")]
        said(home, "map", *here, "--locator", f"file:{written(kind, folder)}", "--mapper", kind.mapper, *columns, "--commit")
        said(home, "prepare", *here, *kind.prepare)
        settings = [word for one in kind.settings for word in ("--set", one)]
        experiment = said(home, "train", *here, *settings)["task_id"]
        done = run(home, "export", "--experiment", experiment, "--format", "all")
        if done.returncode:  # one format that fails takes the others with it: each alone, then, so that its cell says which
            alone = {one: asked_alone(home, experiment, one) for one in FORMATS}
            return {"base": kind.base, "formats": alone, "agreement": None, "seconds": round(time.monotonic() - began, 1)}
        exported = json.loads(done.stdout)
        compared = said(home, "export", "compare", exported["task_id"])
        bundle = home / "projects" / str(project) / exported["result"]["path"]
        return {
            "base": kind.base, "task": json.loads((bundle / "manifest.json").read_text())["prompt_format"]["task_profile"],
            "metric": compared["metric"], "n": compared["n"],
            "formats": cells(home, experiment, exported, compared, bundle, base),
            "agreement": agreement(bundle), "recommended": compared["recommendation"]["variant"],
            "seconds": round(time.monotonic() - began, 1),
        }  # fmt: skip


def made_base(base: str, folder: Path) -> str:
    """The locator; of a tiny one, which is made now."""
    from tests.tiny import make_tiny_encoder, make_tiny_model

    if base in ("tiny", "tiny-encoder"):
        (make_tiny_model if base == "tiny" else make_tiny_encoder)(folder)
        return f"path:{folder}"
    return base


def cells(
    home: Path, experiment: str, exported: dict[str, Any], compared: dict[str, Any], bundle: Path, base: str
) -> dict[str, Any]:
    """Each format: what was made and how it ran, or why there is none."""
    artifacts = {one["format"]: one for one in exported["result"]["artifacts"]}
    ran = {one["variant"]: one for one in compared["variants"]}
    found = {}
    for one in TABLE:
        if one.name in artifacts:
            found[one.name] = of_artifact(artifacts[one.name], ran.get(one.name), bundle)
        elif one.toolchains and "--toolchains" not in sys.argv:
            found[one.name] = without_toolchain(one, base)
        else:
            found[one.name] = asked_alone(home, experiment, one.name)
    return found


def without_toolchain(one: Format, base: str) -> dict[str, Any]:
    """Why there is none: this base can't have it, whatever is installed; or its toolchain is not asked for."""
    info = base_model(base)
    cause = impossible(one.name, info.architecture, whole=False, folder=info.folder, tokenizer_from=info.gguf)
    if cause is not None:
        return {"state": "impossible", "cause": cause}
    return {"state": "needs a toolchain", "cause": ", ".join(one.toolchains)}


def of_artifact(artifact: dict[str, Any], figures: dict[str, Any] | None, bundle: Path) -> dict[str, Any]:
    """A format that the export made: its smoke check ran it, and where it runs by itself, so did the comparison."""
    cell = {"state": "ran", "bytes": artifact["size_bytes"], "agreement": artifact["agreement"], "kl": artifact["kl"]}
    if figures is None:
        return cell | {"state": "ran" if loads(artifact, bundle) else "failed", "by": "loaded again, as a part of a model"}
    return cell | {
        "by": "asked the eval rows, by its own runtime", "metric": figures["metric"],
        "bits_per_weight": figures["bits_per_weight"], "writes_per_second": figures["writes_per_second"],
        "peak_memory_bytes": figures["peak_memory_bytes"],
        "difference": figures["difference"], "importance": artifact["importance"], "tensor_types": artifact["tensor_types"],
    }  # fmt: skip


def loads(artifact: dict[str, Any], bundle: Path) -> bool:
    """Whether every tensor of the file can be read, and none is other than a number."""
    import torch
    from safetensors.torch import load_file

    file = bundle / artifact["weights"]
    if file.suffix == ".gguf":  # of a task that no endpoint can be asked: its smoke check ran it
        return artifact["agreement"] is not None
    return all(bool(torch.isfinite(values.float()).all()) for values in load_file(file).values())


def asked_alone(home: Path, experiment: str, name: str) -> dict[str, Any]:
    """A format that "all" went without: made now, or refused with the cause that a person is told."""
    done = run(home, "export", "--experiment", experiment, "--format", name)
    answer = json.loads(done.stdout or b"{}")
    if done.returncode == 0:
        artifact = answer["result"]["artifacts"][0]
        return {"state": "ran", "bytes": artifact["size_bytes"], "agreement": artifact["agreement"], "kl": artifact["kl"],
                "by": "its smoke check"}  # fmt: skip
    state = "impossible" if done.returncode == 2 else "failed"
    return {"state": state, "code": answer.get("code"), "cause": answer.get("detail") or answer.get("title")}


def agreement(bundle: Path) -> dict[str, Any] | None:
    """What the smoke check of a causal model found, with each flip of F16 and by how many logits the trained model led there."""
    checked = json.loads((bundle / "smoke-trace.json").read_text())["agreement"]
    if "gguf-f16" not in checked:
        return None
    merged, f16 = checked["merged"], checked["gguf-f16"]
    return {
        "tokens": f16["tokens"], "merged": merged["greedy"], "merged_kl": merged["kl"], "f16": f16["top1"], "f16_kl": f16["kl"],
        "f16_flip_margins": [flip["margin"] for flip in f16["flips"]],
    }  # fmt: skip


def said(home: Path, *words: Any) -> Any:
    """A command's JSON; it must end well."""
    done = run(home, *words)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stdout.decode()[:3000]}")
    return json.loads(done.stdout)


def run(home: Path, *words: Any) -> "subprocess.CompletedProcess[bytes]":
    """A command of the product, in a home of its own."""
    command = [sys.executable, "-m", "brewslm.cli.main", *map(str, words), "--json"]
    return subprocess.run(command, env=os.environ | {"BREWSLM_HOME": str(home)}, stdout=subprocess.PIPE, check=False)


if __name__ == "__main__":
    main()
