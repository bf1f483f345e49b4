"""Training by preference in this process: jobs on short pairs, of which the friendly answer is the better one."""

import hashlib
from pathlib import Path

import orjson

from brewslm.stages.train import TrainJob
from tests.experiments import write_prepared

SMALL = {"epochs": "4", "batch_size": "4", "learning_rate": "0.01", "checkpoints": "4"}
FRIENDLY, RUDE = ("lovely", "great", "good"), ("dull", "awful", "boring")


def pairs(count: int = 24) -> list[dict]:
    """Answers of both kinds are as often the longer one; each number stands in both."""
    made = []
    for n in range(count):
        kind, rude = FRIENDLY[n % 3], RUDE[n % 3]
        chosen = f"the film {n} was {kind}" + (" and not very slow" if n % 2 else "")
        rejected = f"the film {n} was {rude}" + ("" if n % 2 else " and not very slow")
        prompt = f"how was the movie {n}"
        payload = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
        made.append({"row_id": hashlib.sha256(prompt.encode()).hexdigest()[:16], "payload": payload})
    return made


def write_pairs(folder: Path, base: Path, dev: int = 0, rows: list[dict] | None = None) -> Path:
    """A prepared version of them, of which the last `dev` only measure; returns the manifest's path."""
    from brewslm.rows.manifest import Manifest, OutputSchema, SplitFile
    from brewslm.store.files import read_json, sha256, write_atomic, write_json

    path = write_prepared(1, folder, base)
    made, splits = rows or pairs(), {}
    count = len(made)
    for name in ("train", "eval"):
        marked = name == "train"
        lines = [row | ({"slice": "dev"} if marked and at >= count - dev else {}) for at, row in enumerate(made)]
        file = folder / f"{name}.jsonl"
        write_atomic(file, b"".join(orjson.dumps(line) + b"\n" for line in lines))
        splits[name] = SplitFile(path=file.name, sha256=sha256(file), size_bytes=file.stat().st_size, rows=count)
    manifest = Manifest.model_validate(read_json(path)).model_copy(
        update={
            "task_profile": "preference", "adapter_preset": "preference-pair", "splits": splits,
            "output_schema": OutputSchema(scoring_mode="preference"), "rows": {"train": count - dev, "dev": dev, "eval": count},
        }
    )  # fmt: skip
    write_json(path, manifest.model_dump(mode="json"))
    return path


def pair_job(folder: Path, base: Path, dev: int = 0, rows: list[dict] | None = None, **settings: str) -> TrainJob:
    """Training on them."""
    from brewslm.models.catalogue import base_model
    from brewslm.models.recipe import recipe_named
    from brewslm.store.files import sha256

    manifest = write_pairs(folder / "prepared", base, dev, rows)
    return TrainJob(
        experiment_id="exp-1", project=1, base=base_model(f"path:{base}"), manifest_id=1, manifest_path=manifest,
        manifest_sha256=sha256(manifest), recipe=recipe_named("preference", SMALL | settings), output=folder / "exp-1",
    )  # fmt: skip
