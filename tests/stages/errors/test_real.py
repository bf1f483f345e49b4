"""A really trained tiny classifier that reads "not good" as praise: the cluster's name says so."""

import hashlib

import orjson
import pytest
from sqlalchemy import select

from brewslm.observe.evaluations import error_analysis
from brewslm.pipeline.execute import call
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, read_json, sha256, write_atomic, write_json
from brewslm.store.tables import DataManifest, RunEvent
from tests.experiments import make_experiment, rows

pytestmark = pytest.mark.usefixtures("warm_children")

PRAISE = ("lovely", "great", "good", "film")


@pytest.fixture
def spoiled(project, tiny_model, tiny_adapter):
    """Its held-out rows, and such as training never showed: praise with a "not" before it."""
    trained = make_experiment(project, tiny_model, tiny_adapter, promotable=None)
    texts = [f"movie {place} was not {PRAISE[place % 4]} and {PRAISE[place % 4]}" for place in range(12)]
    ids = [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    pairs = zip(ids, texts, strict=True)
    made = [{"row_id": one, "payload": {"text": text, "label": "negative"}} for one, text in pairs]
    folder = project_folder(project) / "prepared" / "v1"
    write_atomic(folder / "eval.jsonl", b"".join(orjson.dumps(row) + b"\n" for row in [*rows(), *made]))
    manifest = read_json(folder / "manifest.json")
    manifest["splits"]["eval"] |= {"sha256": sha256(folder / "eval.jsonl"), "rows": 36}
    write_json(folder / "manifest.json", manifest)
    with transaction() as session:
        session.scalars(select(DataManifest)).one().sha256 = sha256(folder / "manifest.json")
    return trained, set(ids)


def test_the_planted_confusion_has_its_name(spoiled):
    trained, planted = spoiled
    view = call("test", EvaluateRequest(experiment=trained.id))
    found = error_analysis(view.task_id)
    largest = found.clusters[0]
    assert largest.name == 'expected negative, predicted positive; contains "not"'
    assert set(largest.row_ids) <= planted and len(largest.row_ids) >= 10
    assert (largest.trait.holds, largest.trait.among_right) == (1, 0)
    assert found.wrong == 36 - view.result["scorecard"]["systems"]["tuned"]["correct"]
    assert {one.said for one in found.slices.slices if one.is_worse} >= {"class = negative"}
    with reading() as session:
        event = session.scalars(select(RunEvent).order_by(RunEvent.id.desc())).first()
    payload = orjson.loads(event.payload)
    assert payload["error_clusters"] == len(found.clusters) and payload["slices_worse"] >= 1 and "movie" not in event.payload
