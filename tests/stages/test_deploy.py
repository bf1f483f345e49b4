"""Stage 11: who may answer, and that a refused or failed switch leaves the slot where it was."""

import orjson
import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.observe.deployments import deployments
from brewslm.pipeline.execute import RunFailed, call
from brewslm.processes.context import DirectContext
from brewslm.stages.deploy import promote, smoke
from brewslm.stages.deploy.changes import CreateRequest, RejectRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.rollback import RollbackRequest
from brewslm.store.database import reading, transaction
from brewslm.store.files import project_folder, read_json, sha256, write_json
from brewslm.store.records import Records
from brewslm.store.tables import Evaluation, Export, RunEvent, Slot
from tests.experiments import adopt_bundle, make_experiment


@pytest.fixture
def trained(project, tiny_model, tiny_adapter):
    return make_experiment(project, tiny_model, tiny_adapter)


@pytest.fixture
def export(trained, tiny_bundle):
    return adopt_bundle(trained, tiny_bundle)


@pytest.fixture
def bundle(trained, export):
    return project_folder(trained.project) / "exports" / export


def created(export, variant="gguf-f16"):
    return call("ana", CreateRequest(export=export, variant=variant)).result["deployment"]


def refused(request):
    """The problem of a run that failed."""
    with pytest.raises(RunFailed) as failed:
        call("ana", request)
    return failed.value.error


def events():
    with reading() as session:
        found = session.scalars(select(RunEvent).where(RunEvent.stage == "deployment").order_by(RunEvent.id))
        return [(event.reason_code, event.actor, orjson.loads(event.payload)) for event in found]


def changes():
    return [(said["action"], said["actor"], said["before"], said["after"]) for _, _, said in events() if "action" in said]


def states(project):
    return {one.version: one.state for one in deployments(project)}


def slot_version():
    with reading() as session:
        slot = session.scalars(select(Slot)).first()
    return slot.version_id if slot else None


def test_the_life_of_versions(trained, export):
    first, second, third = (created(export, variant) for variant in ("gguf-f16", "gguf-q8_0", "gguf-q4_k_m"))
    for version in (first, second):
        done = call("ana", PromoteRequest(deployment=version))
        assert done.result["same"] == done.result["asked"] >= 16
    call("bo", RejectRequest(deployment=third))
    assert states(trained.project) == {1: "superseded", 2: "promoted", 3: "rejected"} and slot_version() == second
    call("bo", RollbackRequest(deployment=second))
    assert states(trained.project) == {1: "promoted", 2: "rolled_back", 3: "rejected"} and slot_version() == first
    assert changes() == [
        ("create", "ana", None, "pending"),
        ("create", "ana", None, "pending"),
        ("create", "ana", None, "pending"),
        ("promote", "ana", None, "v1"),
        ("promote", "ana", "v1", "v2"),
        ("reject", "bo", "pending", "rejected"),
        ("rollback", "bo", "v2", "v1"),
    ]


def test_only_what_the_export_has_and_the_target_serves_can_be_deployed(export):
    error = refused(CreateRequest(export=export, variant="gguf-q4"))
    assert error.reason.code == "not_exported" and "did you mean gguf-q4_k_m?" in str(error)
    error = refused(CreateRequest(export=export, variant="safetensors-merged"))
    assert error.reason.code == "not_exported"
    error = refused(CreateRequest(export=export, target="lokal"))
    assert error.reason.code == "unknown_target" and "did you mean local?" in str(error)
    error = refused(CreateRequest(export=export, variant="gguf-f16", target="vllm"))
    assert error.reason.code == "target_refused"
    with pytest.raises(StageError, match="unknown_run"):
        call("ana", CreateRequest(export="export-9"))


@pytest.mark.parametrize("promotable", [None, False])
def test_without_a_passing_verdict_nothing_is_promoted(project, tiny_model, tiny_adapter, tiny_bundle, promotable):
    trained = make_experiment(project, tiny_model, tiny_adapter, promotable=promotable)
    version = created(adopt_bundle(trained, tiny_bundle))
    error = refused(PromoteRequest(deployment=version))
    assert (error.reason.code, error.reason.exit_code) == ("deployment_promote_blocked", 3)
    code, actor, said = events()[-1]
    assert (code, actor, said["deployment_version_id"]) == ("deployment_promote_blocked", "ana", version)
    assert slot_version() is None and states(project) == {1: "pending"}


def test_the_newest_verdict_counts(trained, export):
    newest = evaluated(trained, promotable=False)
    error = refused(PromoteRequest(deployment=created(export)))
    assert error.reason.code == "deployment_promote_blocked" and newest in str(error)


def evaluated(trained, promotable, **scorecard):
    """One more evaluation, which is now the newest; returns its id."""
    from brewslm.pipeline import runs

    with transaction() as session:
        run = runs.create(
            session, kind="eval", operation="evaluate.run", project_id=trained.project, actor="test", request={}, parent=None,
            idempotency_key=None,
        )  # fmt: skip
        session.flush()
        about = {"project_id": trained.project, "experiment_id": trained.id, "eval_pack": "fast", "scorecard": scorecard}
        session.add(Evaluation(run_id=run.id, promotable=promotable, **about))
        return run.id


def test_a_pack_for_tries_neither_promotes_nor_hinders(project, tiny_model, tiny_adapter, tiny_bundle):
    trained = make_experiment(project, tiny_model, tiny_adapter, promotable=None)
    version = created(adopt_bundle(trained, tiny_bundle))
    tried = evaluated(trained, False, pack_promotes=False, gates=[])
    error = refused(PromoteRequest(deployment=version))
    assert error.reason.code == "deployment_promote_blocked"
    assert f"{tried} is by the pack fast, which is for tries and promotes nothing" in str(error)
    evaluated(trained, True, pack_promotes=True)
    evaluated(trained, False, pack_promotes=False, gates=[])
    call("ana", PromoteRequest(deployment=version))
    assert slot_version() == version


def fails_the_smoke_check(export, cause):
    version = created(export)
    error = refused(PromoteRequest(deployment=version))
    assert error.reason.code == "deployment_smoke_failed" and cause in str(error)
    assert events()[-1][0] == "deployment_smoke_failed" and slot_version() is None
    assert deployments(error_project())[0].state == "pending"


def error_project():
    with reading() as session:
        return session.scalars(select(Export)).one().project_id


def test_the_whole_model_is_served_by_transformers_and_asked_for_the_same_tokens(export, bundle):
    version = created(export, "hf")
    done = call("ana", PromoteRequest(deployment=version)).result
    assert done["by"] == "tokens" and done["same"] == done["asked"] >= 16 and slot_version() == version


def test_a_changed_file_fails_the_smoke_check(export, bundle):
    with (bundle / "gguf-f16" / "model-f16.gguf").open("ab") as file:
        file.write(b"\0")
    fails_the_smoke_check(export, "was changed")


def test_a_missing_file_fails_the_smoke_check(export, bundle):
    (bundle / "gguf-f16" / "model-f16.gguf").unlink()
    fails_the_smoke_check(export, "is missing")


def test_a_file_that_no_server_loads_fails_the_smoke_check(export, bundle):
    file = bundle / "gguf-f16" / "model-f16.gguf"
    file.write_bytes(file.read_bytes()[:9000])
    with transaction() as session:  # as if it had been exported so
        made = session.get_one(Export, export)
        made.artifacts = made.artifacts | {"gguf-f16": made.artifacts["gguf-f16"] | {"sha256": sha256(file)}}
    fails_the_smoke_check(export, "did not start")


def changed_trace(bundle, change):
    trace = read_json(bundle / "smoke-trace.json")
    change(trace)
    write_json(bundle / "smoke-trace.json", trace)


def test_a_server_that_answers_otherwise_fails_the_smoke_check(export, bundle):
    def other_words(trace):
        for one in trace["prompts"][:3]:
            one["expected"] = [token + 1 for token in one["expected"]]

    changed_trace(bundle, other_words)
    fails_the_smoke_check(export, "tokens are those of the exported file")


def test_a_server_with_another_chat_template_fails_the_smoke_check(export, bundle):
    changed_trace(bundle, lambda trace: trace["prompts"][0]["prompt_ids"].append(7))
    fails_the_smoke_check(export, "tokens of a prompt that training made")


def test_where_the_exported_file_parts_from_the_trained_model_its_own_word_counts(export, bundle):
    def flipped(trace):
        said = [(place, 0, one["expected"][0]) for place, one in enumerate(trace["prompts"])]
        flips = [{"prompt": place, "position": at, "expected": 7, "found": token, "margin": 0.1} for place, at, token in said]
        trace["agreement"]["gguf-f16"]["flips"] = flips
        for one in trace["prompts"]:
            one["expected"][0] = 7

    changed_trace(bundle, flipped)
    result = call("ana", PromoteRequest(deployment=created(export))).result
    assert result["same"] == result["asked"]


def test_a_long_answer_is_asked_at_both_its_ends_and_between():
    assert smoke.spread(2) == [0, 1] and smoke.spread(1) == [0]
    places = smoke.spread(80)
    assert (len(places), places[0], places[-1]) == (12, 0, 79)


def test_a_slot_that_was_moved_meanwhile_is_not_moved_again(trained, export, tmp_path):
    """Two promotes at once: the second commit finds another version than the one that it was tried against."""
    first, second = created(export), created(export, "gguf-q8_0")
    with reading() as session:
        job = promote.resolve(PromoteRequest(deployment=second), Records(session, "deploy-9", trained.project, "ana"))
    result = promote.run(job, DirectContext(tmp_path))
    call("ana", PromoteRequest(deployment=first))
    with pytest.raises(StageError) as error, transaction() as session:
        promote.record(result, session, None)
    assert error.value.reason.code == "deployment_state_conflict"
    assert slot_version() == first and states(trained.project) == {1: "promoted", 2: "pending"}


def test_a_version_is_promoted_or_rejected_once(export):
    version = created(export)
    call("ana", RejectRequest(deployment=version))
    for again in (RejectRequest(deployment=version), PromoteRequest(deployment=version), RollbackRequest(deployment=version)):
        assert refused(again).reason.code == "deployment_state_conflict"
    assert changes()[-1][0] == "reject"


def test_a_rollback_needs_a_predecessor(export):
    version = created(export)
    call("ana", PromoteRequest(deployment=version))
    assert refused(RollbackRequest(deployment=version)).reason.code == "deployment_rollback_no_predecessor"
    assert events()[-1][0] == "deployment_rollback_no_predecessor" and slot_version() == version
