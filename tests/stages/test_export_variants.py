"""Stage 10's variants: what they are calibrated on, what each is worth, and which to take."""

import hashlib

import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.handlers.base import Metric
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import DirectContext
from brewslm.rows.manifest import OutputSchema, PreparedData
from brewslm.serving.targets.local import LocalSettings
from brewslm.stages import export
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.export.calibration import calibration_rows
from brewslm.stages.export.choosing import Difference, Limits, Variant, frontier, recommended
from brewslm.stages.export.compare import OPENERS, CompareJob, CompareRequest
from brewslm.stages.export.job import Artifact
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, read_json, sha256
from brewslm.store.tables import Export, RunEvent
from tests.experiments import LABELS, WORDS, adopt_bundle, export_job, make_experiment, rows

pytestmark = pytest.mark.usefixtures("warm_children")


def other_rows(count=24, dev=0):
    """Rows of the same task as those of eval, and none of them; the last `dev` are the dev slice."""
    made = []
    for place in range(count):
        label = LABELS[place % 2]
        text = f"a plot {place} so {WORDS[label][place // 2 % 4]}"
        row = {"row_id": hashlib.sha256(text.encode()).hexdigest()[:16], "payload": {"text": text, "label": label}}
        made.append(row | ({"slice": "dev"} if place >= count - dev else {}))
    return made


def ids(lines):
    return {line["row_id"] for line in lines}


@pytest.mark.parametrize("dev", [0, 6])
def test_no_eval_row_calibrates_anything_even_where_a_manifest_has_it_in_train(tiny_model, tiny_adapter, tmp_path, dev):
    train = [*rows(6), *other_rows(24, dev)]
    job = export_job(tiny_model, tiny_adapter, tmp_path, train)
    used, tried = calibration_rows(PreparedData(job.manifest_path, job.manifest_sha256), job.policy.importance)
    used, tried = {row.row_id for row in used}, {row.row_id for row in tried}
    assert used and tried and not used & tried
    assert not (used | tried) & ids(rows()) and used | tried == ids(other_rows(24))
    assert len(tried) == 6


def test_a_variant_is_made_with_and_without_importance_and_the_nearer_kept(tiny_model, tiny_adapter, tmp_path):
    job = export_job(tiny_model, tiny_adapter, tmp_path, other_rows()).model_copy(update={"formats": ("gguf-q8_0", "gguf-q4_0")})
    q8, q4 = export.run(job, DirectContext(tmp_path)).artifacts
    assert q8.importance is None  # it rounds each weight to the nearest, whatever it is worth
    found = q4.importance
    assert found["used"] == (found["kl_with"] < found["kl_without"]) and found["kl_with"] != found["kl_without"]
    kept = read_json(job.output / "importance.json")
    assert set(kept["rows"]) | set(kept["held_out"]) == ids(other_rows()) and found["rows"] == len(kept["rows"])
    assert not set(kept["rows"]) & ids(rows())
    assert [one.name for one in (job.output / "gguf-q4_0").glob("*.gguf")] == ["model-q4_0.gguf"]
    assert q4.kl > q8.kl > 0


@pytest.fixture
def exported(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


def test_a_variant_that_is_worse_is_told_in_the_bundle_and_blocks_its_promotion(exported, project, tiny_model):
    """What is called Q8_0 here is the untrained base: a real file that runs, and answers worse."""
    from brewslm.models.gguf_writer import write_gguf

    bundle = project_folder(project) / "exports" / exported
    file = bundle / "gguf-q8_0" / "model-q8_0.gguf"
    write_gguf(tiny_model, file, name="the base", end_token=2)
    with transaction() as session:
        made = session.get_one(Export, exported)
        made.artifacts = {
            name: made.artifacts[name] | ({"sha256": sha256(file)} if name == "gguf-q8_0" else {})
            for name in ("gguf-f16", "gguf-q8_0", "safetensors-merged")
        }
    result = call("test", CompareRequest(export=exported)).result
    f16, q8 = result["variants"]
    assert (result["reference"], result["metric"], result["n"]) == ("gguf-f16", "accuracy", 24)
    assert f16["metric"]["value"] == 1.0 and q8["metric"]["value"] < 0.8 and q8["difference"]["worse"]
    assert f16["writes_per_second"] > 0 and f16["peak_memory_bytes"] > 2**20 and 16 <= f16["bits_per_weight"] < 17
    assert "part of another format" in result["skipped"]["safetensors-merged"]
    assert read_json(bundle / "comparison.json")["variants"] == result["variants"]
    with reading() as session:
        event = session.scalars(select(RunEvent).order_by(RunEvent.id.desc())).first()
    assert event.reason_code == "export_compared" and '"worse":["gguf-q8_0"]' in event.payload
    version = call("test", CreateRequest(export=exported, variant="gguf-q8_0")).result["deployment"]
    with pytest.raises(RunFailed, match="deployment_promote_blocked") as refused:
        call("test", PromoteRequest(deployment=version))
    assert "is worse than its reference" in refused.value.error.cause


def test_four_bits_that_nobody_measured_are_not_promoted(exported, project):
    with transaction() as session:
        made = session.get_one(Export, exported)
        made.artifacts = {name: made.artifacts[name] for name in ("gguf-f16", "gguf-q4_k_m")}
    version = call("test", CreateRequest(export=exported, variant="gguf-q4_k_m")).result["deployment"]
    with pytest.raises(RunFailed, match="deployment_promote_blocked") as refused:
        call("test", PromoteRequest(deployment=version))
    assert f"nobody measured {exported}:gguf-q4_k_m" in refused.value.error.cause
    assert f"brewslm export compare {exported}" in refused.value.error.next_step
    call("test", CompareRequest(export=exported, rows=5))
    with pytest.raises(RunFailed, match="was measured on 5 rows, and 24 are needed"):
        call("test", PromoteRequest(deployment=version))
    own = call("test", CompareRequest(export=exported)).result["variants"][1]
    assert own["variant"] == "gguf-q4_k_m" and not own["difference"]["worse"]
    with pytest.raises(RunFailed, match="5 would tell less"):
        call("test", CompareRequest(export=exported, rows=5))
    assert call("test", PromoteRequest(deployment=version)).result["version_id"] == version


def test_the_folder_is_measured_in_the_precision_in_which_it_is_served(tiny_model, tiny_adapter, tiny_bundle, tmp_path):
    job = export_job(tiny_model, tiny_adapter, tmp_path)
    one = next(made for made in read_json(tiny_bundle / "manifest.json")["artifacts"] if made["format"] == "hf")
    measured = CompareJob(
        export_id="export-1", experiment_id="exp-1", bundle=tiny_bundle, artifacts=[], parameters=1,
        manifest_path=job.manifest_path, manifest_sha256=job.manifest_sha256, rows=None,
    )  # fmt: skip
    schema = OutputSchema(scoring_mode="label", labels=LABELS)
    with OPENERS["merged"](measured, Artifact.model_validate(one), schema, lambda _: None) as predictor:
        assert str(predictor._model.dtype).removeprefix("torch.float") == LocalSettings().precision.removeprefix("fp")


def test_a_changed_file_is_not_measured(exported, project):
    file = project_folder(project) / "exports" / exported / "gguf-f16" / "model-f16.gguf"
    with file.open("ab") as opened:
        opened.write(b"\0")
    with reading() as session:
        only = session.get_one(Export, exported).artifacts["gguf-f16"]
    with transaction() as session:
        session.get_one(Export, exported).artifacts = {"gguf-f16": only}
    with pytest.raises(RunFailed) as refused:
        call("test", CompareRequest(export=exported))
    assert refused.value.error.reason.code == "export_artifact_missing" and "SHA-256" in refused.value.error.cause


def test_an_export_that_is_not_there_is_named():
    with pytest.raises(StageError, match="unknown_run"):
        call("test", CompareRequest(export="export-9"))


def variant(name, megabytes, speed, kl, quality=0.9, worse=False):
    gap = Difference(value=quality - 0.9, low=-0.1, high=0.1, n=100, p_worse=0.01 if worse else 0.5, worse=worse)
    return Variant(
        variant=name, size_bytes=int(megabytes * 1e6), bits_per_weight=8.0, kl=kl, agreement=0.9, difference=gap,
        metric=Metric(value=quality, low=quality - 0.1, high=quality + 0.1, n=100), scoring="constrained", seconds=1.0,
        reads_per_second=100.0, writes_per_second=speed, peak_memory_bytes=int(2e6 * megabytes),
    )  # fmt: skip


F16, Q8, Q6, Q4 = (
    variant("f16", 270, 40, 0.0), variant("q8", 145, 90, 0.01), variant("q6", 150, 80, 0.02), variant("q4", 100, 100, 0.2, 0.85),
)  # fmt: skip


def test_the_frontier_leaves_out_what_another_beats_in_all():
    assert frontier([F16, Q8, Q6, Q4]) == ["f16", "q8", "q4"]  # q8 is smaller, faster and nearer than q6
    assert frontier([F16, F16.model_copy(update={"variant": "twin"})]) == ["f16", "twin"]


@pytest.mark.parametrize(
    ("limits", "taken"),
    [
        ({}, "q4"),
        ({"max_mb": 200}, "q8"),
        ({"max_mb": 120}, "q4"),
        ({"max_memory_mb": 250}, "q4"),
        ({"min_tokens_per_second": 50}, "q8"),
        ({"min_quality": 0.88}, "q8"),
        ({"min_quality": 0.88, "max_mb": 120}, None),
    ],
)
def test_the_nearest_within_the_room_or_the_smallest_that_is_good_enough(limits, taken):
    found = recommended([F16, Q8, Q6, Q4], higher_is_better=True, limits=Limits(**limits))
    assert found.variant == taken
    assert set(found.left_out) == {"f16", "q8", "q6", "q4"} - {taken}


def test_what_is_worse_is_never_recommended_however_small():
    found = recommended([F16, Q8, variant("q4", 100, 100, 0.2, 0.6, worse=True)], higher_is_better=True)
    assert found.variant == "q8" and "worse than the reference by 0.300" in found.left_out["q4"]


def test_a_limit_on_what_was_not_measured_is_not_kept():
    blind = Q4.model_copy(update={"writes_per_second": None})
    found = recommended([blind], higher_is_better=True, limits=Limits(min_tokens_per_second=10))
    assert found.variant is None and found.left_out == {"q4": "its tokens/s were not measured"}
