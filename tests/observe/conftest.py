from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from brewslm.pipeline import runs
from brewslm.pipeline.execute import call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.database import transaction
from brewslm.store.files import project_folder, run_folder, write_atomic
from brewslm.store.tables import DataManifest, Evaluation, Experiment, Export, now
from tests.synthetic import reviews


@dataclass
class Walk:
    """A project that walks through the stages: import and prepare for real, what follows as its tables and files say it."""

    project: int
    folder: Path
    ids: dict[str, list[str]] = field(default_factory=dict)

    def imported(self, count: int = 60, broken: int = 2) -> str:
        path = self.folder / f"reviews-{count}.jsonl"
        lines = [orjson.dumps(row) for row in reviews(count)] + [b"{broken"] * broken
        path.write_bytes(b"\n".join(lines) + b"\n")
        asked = ImportRequest(project=self.project, locator=f"jsonl:{path}", auto=True, force=True, commit=True)
        return import_rows("test", asked).run.task_id

    def prepared(self) -> dict[str, list[str]]:
        """The row ids of each split, and of what was trained on."""
        call("test", PrepareRequest(project=self.project, eval_rows=10, dev_rows=4))
        folder = project_folder(self.project) / "prepared"
        self.ids |= {"train": [], "dev": [], "eval": []}
        for split in ("train", "eval"):
            for line in map(orjson.loads, (folder / f"{split}.jsonl").read_bytes().splitlines()):
                self.ids[line.get("slice", split)].append(line["row_id"])
        return self.ids

    def run(self, kind: str, operation: str, state: str = "succeeded", **more) -> str:
        with transaction() as session:
            run = runs.create(
                session, kind=kind, operation=operation, project_id=self.project, actor="test", request=more.pop("request", {}),
                parent=more.pop("parent", None), idempotency_key=None, state=state,
            )  # fmt: skip
            for name, value in more.items():
                setattr(run, name, value)
            run.ended_at = now() if state in runs.ENDED else None
        run_folder(run.id).mkdir(parents=True)
        return run.id

    def trained(self, steps: list[list[str]]) -> str:
        """An experiment whose trace says which rows each step learned from."""
        run_id = self.run("exp", "train.run")
        lines = [{"kind": "step", "ts": 1.0, "step": n, "loss": 0.5, "row_ids": ids} for n, ids in enumerate(steps, 1)]
        write_atomic(run_folder(run_id) / "trace.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in lines))
        with transaction() as session:
            newest = session.scalars(select(DataManifest).order_by(DataManifest.id.desc())).first()
            session.add(
                Experiment(
                    run_id=run_id, project_id=self.project, manifest_id=newest.id, base_model="path:x", base_sha256="0",
                    adapter_path="x", adapter_sha256="0", final_train_loss=0.125,
                )
            )  # fmt: skip
        return run_id

    def evaluated(self, experiment: str, answers: dict[str, bool], promotable: bool = True) -> str:
        run_id = self.run("eval", "evaluate.run", request={"experiment": experiment})
        folder = project_folder(self.project) / "evaluations" / run_id
        for model in ("tuned", "base"):
            lines = [
                {
                    "row_id": row,
                    "output": "positive",
                    "scores": {},
                    "expected": "positive" if right else "negative",
                    "correct": right,
                }
                for row, right in answers.items()
            ]
            write_atomic(folder / f"predictions-{model}.jsonl", b"".join(orjson.dumps(line) + b"\n" for line in lines))
        with transaction() as session:
            session.add(
                Evaluation(
                    run_id=run_id, project_id=self.project, experiment_id=experiment, eval_pack="general", scorecard={},
                    promotable=promotable,
                )
            )  # fmt: skip
        return run_id

    def exported(self, experiment: str) -> str:
        run_id = self.run("export", "export.run", request={"experiment": experiment})
        with transaction() as session:
            artifacts = {name: artifact(name) for name in ("gguf-q8_0", "hf")}
            session.add(
                Export(
                    run_id=run_id, project_id=self.project, experiment_id=experiment, path="x", manifest_sha256="0",
                    artifacts=artifacts,
                )
            )  # fmt: skip
        return run_id

    def manifest_age(self, minutes: int) -> None:
        with transaction() as session:
            session.scalars(select(DataManifest)).one().created_at -= timedelta(minutes=minutes)


def artifact(name: str) -> dict:
    """A variant as an export's table has it."""
    return {
        "format": name, "quantization": None, "path": name, "weights": f"{name}/model", "size_bytes": 144_812_224,
        "sha256": "0" * 64, "agreement": 1.0, "kl": 0.0002,
    }  # fmt: skip


@pytest.fixture
def walk(project, tmp_path) -> Walk:
    return Walk(project, tmp_path)
