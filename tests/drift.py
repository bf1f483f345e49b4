"""Versions to check for drift: made without a model, and answered for by a small server that speaks a model server's language."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from brewslm.handlers.base import Prediction
from brewslm.pipeline import runs
from brewslm.serving.endpoints import Endpoint, endpoint_file, endpoint_lock
from brewslm.store.database import transaction
from brewslm.store.files import project_folder, sha256, write_atomic, write_json
from brewslm.store.locks import lock
from brewslm.store.tables import DeploymentVersion, DriftReference, Export, Slot
from tests.experiments import make_experiment, rows

TRUTH = {row["payload"]["text"]: row["payload"]["label"] for row in rows()}
OTHER = {"positive": "negative", "negative": "positive"}


def adapter_like(folder: Path) -> Path:
    """A folder that looks like an adapter to whoever only takes its hash."""
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def promoted_version(project: int, base: Path, folder: Path) -> int:
    """A version in the project's slot, of an export whose file is none."""
    trained = make_experiment(project, base, adapter_like(folder / "adapter"))
    with transaction() as session:
        run = runs.create(
            session, kind="export", operation="export.run", project_id=project, actor="test", request={}, parent=None,
            idempotency_key=None, state="succeeded",
        )  # fmt: skip
        file = project_folder(project) / "exports" / run.id / "gguf-q8_0" / "model.gguf"
        write_atomic(file, b"no model")
        artifacts = {"gguf-q8_0": {"path": "gguf-q8_0/model.gguf", "sha256": sha256(file), "size_bytes": 8}}
        session.add(
            Export(
                run_id=run.id, project_id=project, experiment_id=trained.id, path=f"exports/{run.id}", manifest_sha256="0" * 64,
                artifacts=artifacts,
            )
        )  # fmt: skip
        session.flush()
        version = DeploymentVersion(
            project_id=project, slot="default", version=1, export_id=run.id, variant="gguf-q8_0", target="local",
            state="promoted", actor="test",
        )  # fmt: skip
        session.add(version)
        session.flush()
        session.add(Slot(project_id=project, name="default", version_id=version.id))
        return version.id


def with_reference(version: int, rows_sha256: str, said: Callable[[str], str] = TRUTH.__getitem__) -> Path:
    """Give it reference answers, as its first check would have; returns their file."""
    with transaction() as session:
        project = session.get_one(DeploymentVersion, version).project_id
        path = f"deployments/{version}/reference-check-0.jsonl"
        answers = [Prediction(row_id=row["row_id"], output=said(row["payload"]["text"]), scores={}) for row in rows()]
        file = project_folder(project) / path
        write_atomic(file, b"".join(orjson.dumps(one.model_dump(mode="json")) + b"\n" for one in answers))
        run = runs.create(
            session, kind="check", operation="deploy.check_drift", project_id=project, actor="test",
            request={"deployment": version}, parent=None, idempotency_key=None, state="succeeded",
        )  # fmt: skip
        session.add(
            DriftReference(
                deployment_id=version, rows_sha256=rows_sha256, run_id=run.id, taken_from="file", path=path, sha256=sha256(file),
                scoring="constrained", rows=len(answers),
            )
        )  # fmt: skip
    return file


def under_a_grammar(said: Callable[[str], str]) -> Callable[[dict[str, Any]], str]:
    """How llama.cpp's server answers: one of the grammar's words, and of those the one that the model would say of the text."""

    def answer(body: dict[str, Any]) -> str:
        words = re.findall(r'"([^"]+)"', body["grammar"])
        wanted = said(body["messages"][-1]["content"]) if body["messages"][-1]["content"] in TRUTH else words[0]
        return wanted if wanted in words else words[0]

    return answer


@contextmanager
def live_at(version: int, base_url: str) -> Iterator[None]:
    """Let a version's live server be the one of this address, as a supervisor would say it."""
    with lock(endpoint_lock(version)):
        write_json(endpoint_file(version), Endpoint(base_url=base_url, model="default-v1", pid=1).model_dump())
        yield
        endpoint_file(version).unlink()
