import json

import pytest
from pydantic import BaseModel, ValidationError

from brewslm.errors import StageError
from brewslm.reasons import REGISTRY, AnyReason, Reason, Severity, Stage
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.reasons.refusals import LowConfidence, SourceNotFound

PAGE = {
    "dataset_import_run", "dataset_import_failed",
    "cleaning_outlier_threshold_exceeded", "cleaning_pii_block", "dataset_prepared",
    "training_dispatch_error", "training_oom", "training_runtime_error", "training_timeout", "training_cancelled",
    "eval_runtime_error", "eval_dataset_missing", "export_run_failed", "export_artifact_missing", "export_quantization_failed",
    "deployment_smoke_failed", "deployment_promote_blocked",
}  # fmt: skip


def test_every_code_of_the_page_has_its_class():
    assert set(REGISTRY) >= PAGE


def test_a_stored_event_reads_back_as_its_own_type():
    reason = DatasetImportFailed(source="jsonl:a", mapper=None, problem="source_empty", error="it is empty")
    assert Reason.read(reason.code, json.loads(json.dumps(reason.payload()))) == reason
    with pytest.raises(ValidationError):
        Reason.read(reason.code, reason.payload() | {"unknown": 1})
    with pytest.raises(KeyError):
        Reason.read("no_such_code", {})


def test_a_code_is_taken_once():
    with pytest.raises(TypeError, match="is taken by brewslm"):
        type("DatasetImportRun", (Reason,), {}, stage=Stage.INGESTION, severity=Severity.INFO)


def test_a_result_keeps_any_reason_through_json():
    class Held(BaseModel):
        reason: AnyReason

    held = Held(reason=LowConfidence())
    assert Held.model_validate_json(held.model_dump_json()) == held


def test_an_error_says_its_four_parts_to_a_person_and_to_a_program():
    error = StageError(
        SourceNotFound(), "the import failed", where="reviews.csv", cause="it is not there", next_step="look again"
    )
    assert str(error) == "the import failed: source_not_found\n  reviews.csv\n  it is not there\n  next: look again"
    problem = error.problem()
    assert problem["type"] == "urn:brewslm:reason:source_not_found" and problem["status"] == 422
    assert (problem["title"], problem["detail"], problem["next_step"]) == (
        "the import failed", "reviews.csv; it is not there", "look again",
    )  # fmt: skip


def test_an_error_falls_back_on_the_meaning_and_the_remedy_of_its_reason():
    error = StageError(LowConfidence())
    assert error.what == "The proposed mapping is less sure than 0.80" and error.next_step == LowConfidence.remedy
    assert (error.reason.exit_code, error.reason.status) == (4, 409)
