"""The table of stages and operations: what the product can do, in the order of the product page.

To add a stage: a stage constant in reasons/base.py, a reason, a line here. Every view picks it up.
"""

from brewslm.pipeline import autopilot, drift, probing, training
from brewslm.pipeline.operation import LifecycleStage, Operation
from brewslm.reasons.cleaning import CleaningFailed
from brewslm.reasons.eval import EvalRuntimeError
from brewslm.reasons.export import ExportRunFailed
from brewslm.reasons.ingestion import DatasetImportFailed
from brewslm.reasons.prepare import DatasetPrepFailed
from brewslm.reasons.training import TrainingDispatchError
from brewslm.stages import academy, clean, documents, evaluate, export, ingest, preflight, prepare, projects, toolchains, train
from brewslm.stages.contract import Request
from brewslm.stages.deploy import changes, promote, rollback, schedule, slot_settings, switch
from brewslm.stages.deploy import drift as drift_checks
from brewslm.stages.export import compare
from brewslm.stages.mapping import commit, job, undo
from brewslm.stages.prepare import gold
from brewslm.stages.prepare.gold import drawing
from brewslm.stages.train import reproduce

STAGES = (
    LifecycleStage(1, "ingest", "Ingest"),
    LifecycleStage(2, "introspect", "Introspect"),
    LifecycleStage(3, "map_preview", "Dry run"),
    LifecycleStage(4, "map_commit", "Commit"),
    LifecycleStage(5, "clean", "Clean", optional=True),
    LifecycleStage(6, "prepare", "Prepare"),
    LifecycleStage(7, "preflight", "Preflight"),
    LifecycleStage(8, "train", "Train"),
    LifecycleStage(9, "evaluate", "Evaluate"),
    LifecycleStage(10, "export", "Export"),
    LifecycleStage(11, "deploy", "Deploy", optional=True),
)

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            "project.create", "project", "", projects.CreateRequest, record=projects.record, project_of=lambda _r, _s: None
        ),
        Operation("project.change", "project", "", projects.ChangeRequest, record=projects.change),
        Operation(
            "ingest.run",
            "ingest",
            "ingest",
            ingest.IngestRequest,
            ingest.resolve,
            ingest.run,
            ingest.record,
            job=ingest.IngestJob,
            result=ingest.IngestResult,
            locks=("sources",),
        ),
        Operation(
            "map.commit",
            "import",
            "map_commit",
            commit.CommitRequest,
            job.resolve,
            commit.run,
            commit.record,
            job=job.MapJob,
            result=commit.CommitResult,
            locks=("rows",),
            failure=lambda failed: DatasetImportFailed(
                source=failed.request.locator, mapper=failed.request.mapper, problem=failed.problem, error=failed.error
            ),
        ),
        Operation(
            "import.undo",
            "undo",
            "map_commit",
            undo.UndoRequest,
            record=undo.record,
            after=undo.after,
            locks=("rows",),
            project_of=undo.project_of,
        ),
        Operation(
            "documents.add",
            "documents",
            "clean",
            documents.AddRequest,
            documents.resolve,
            documents.run,
            documents.record,
            job=documents.AddJob,
            result=documents.AddResult,
            locks=("documents",),
        ),
        Operation(
            "clean.run",
            "clean",
            "clean",
            clean.CleanRequest,
            clean.resolve,
            clean.run,
            clean.record,
            job=clean.CleanJob,
            result=clean.CleanResult,
            heavy=True,
            locks=("documents",),
            failure=lambda failed: CleaningFailed(problem=failed.problem, error=failed.error),
        ),
        Operation(
            "prepare.run",
            "prepare",
            "prepare",
            prepare.PrepareRequest,
            prepare.resolve,
            prepare.run,
            prepare.record,
            job=prepare.PrepareJob,
            result=prepare.PrepareResult,
            locks=("rows",),
            failure=lambda failed: DatasetPrepFailed(problem=failed.problem, error=failed.error),
        ),
        Operation("manifest.activate", "manifest", "prepare", prepare.ActivateRequest, record=prepare.activate, locks=("rows",)),
        Operation("gold.draft", "gold", "", gold.GoldDraftRequest, record=gold.draft, locks=("gold",)),
        Operation(
            "gold.import",
            "gold",
            "",
            gold.GoldImportRequest,
            drawing.resolve,
            drawing.run,
            drawing.record,
            job=gold.GoldImportJob,
            result=gold.GoldImportResult,
            locks=("gold",),
        ),
        Operation("gold.review", "gold", "", gold.GoldReviewRequest, record=gold.review, locks=("gold",)),
        # A prepare that began before must end before: else it could freeze a train split that knows nothing of the set.
        Operation("gold.lock", "gold", "", gold.GoldLockRequest, record=gold.lock, locks=("gold", "rows")),
        Operation(
            "preflight.run",
            "preflight",
            "preflight",
            preflight.PreflightRequest,
            probing.resolve,
            probing.run,
            preflight.record,
            job=probing.CheckJob,
            result=preflight.PreflightResult,
            failure=lambda failed: TrainingDispatchError(experiment_id=failed.run_id, error=failed.problem),
        ),
        Operation(
            "train.run",
            "exp",
            "train",
            train.TrainRequest,
            training.resolve,
            training.run,
            train.record,
            job=training.DispatchJob,
            result=train.TrainResult,
            heavy=True,
            failure=training.failure,
            smaller=training.smaller,
            pausable=True,
            timeout_seconds=lambda request: request.timeout_minutes and request.timeout_minutes * 60,
        ),
        Operation(
            "train.reproduce",
            "reproduce",
            "",
            train.ReproduceRequest,
            reproduce.resolve,
            reproduce.run,
            reproduce.record,
            job=train.ReproduceJob,
            result=train.ReproduceResult,
            heavy=True,
            failure=training.failure,
            pausable=True,
            project_of=reproduce.project_of,
            timeout_seconds=lambda request: request.timeout_minutes and request.timeout_minutes * 60,
        ),
        Operation(
            "export.run",
            "export",
            "export",
            export.ExportRequest,
            export.resolve,
            export.run,
            export.record,
            job=export.ExportJob,
            result=export.ExportResult,
            heavy=True,
            project_of=export.project_of,
            failure=lambda failed: ExportRunFailed(
                experiment_id=failed.request.experiment, format=failed.request.format, error=failed.error
            ),
        ),
        Operation(
            "export.compare",
            "compare",
            "export",
            compare.CompareRequest,
            compare.resolve,
            compare.run,
            compare.record,
            job=compare.CompareJob,
            result=compare.CompareResult,
            heavy=True,
            project_of=compare.project_of,
        ),
        Operation(
            "evaluate.run",
            "eval",
            "evaluate",
            evaluate.EvaluateRequest,
            evaluate.resolve,
            evaluate.run,
            evaluate.record,
            job=evaluate.EvaluateJob,
            result=evaluate.EvaluateResult,
            heavy=True,
            project_of=evaluate.project_of,
            failure=lambda failed: EvalRuntimeError(experiment_id=failed.request.experiment, error=failed.error),
        ),
        Operation(
            "deploy.create",
            "deploy",
            "deploy",
            changes.CreateRequest,
            record=changes.create,
            project_of=changes.project_of_create,
        ),
        Operation(
            "deploy.promote",
            "deploy",
            "deploy",
            promote.PromoteRequest,
            promote.resolve,
            promote.run,
            promote.record,
            after=switch.after,
            job=switch.SwitchJob,
            result=switch.SwitchResult,
            project_of=changes.project_of_version,
        ),
        Operation(
            "deploy.reject",
            "deploy",
            "deploy",
            changes.RejectRequest,
            record=changes.reject,
            project_of=changes.project_of_version,
        ),
        Operation(
            "deploy.rollback",
            "deploy",
            "deploy",
            rollback.RollbackRequest,
            rollback.resolve,
            rollback.run,
            rollback.record,
            after=switch.after,
            job=switch.SwitchJob,
            result=switch.SwitchResult,
            project_of=changes.project_of_version,
        ),
        Operation("deploy.settings", "deploy", "", slot_settings.SlotSettingsRequest, record=slot_settings.record),
        Operation(
            "deploy.check_drift",
            "check",
            "deploy",
            drift_checks.CheckRequest,
            drift.resolve,
            drift.run,
            drift_checks.record,
            job=drift.DriftJob,
            result=drift_checks.CheckResult,
            project_of=changes.project_of_version,
            failure=drift.failure,
        ),
        Operation("deploy.schedule", "schedule", "deploy", schedule.ScheduleRequest, record=schedule.record),
        Operation("deploy.pause_schedule", "schedule", "deploy", schedule.PauseRequest, record=schedule.pause),
        Operation("deploy.unschedule", "schedule", "deploy", schedule.UnscheduleRequest, record=schedule.unschedule),
        Operation("academy.read", "lesson", "", academy.ReadRequest, record=academy.read),
        Operation("academy.answer", "quiz", "", academy.AnswerRequest, record=academy.answer),
        Operation(
            "toolchain.install",
            "toolchain",
            "",
            toolchains.InstallRequest,
            toolchains.resolve,
            toolchains.run,
            toolchains.record,
            job=toolchains.InstallJob,
            result=toolchains.InstallResult,
            project_of=lambda _r, _s: None,
        ),
        Operation(
            "autopilot.run",
            "autopilot",
            "",
            autopilot.AutopilotRequest,
            compose=autopilot.compose,
            result=autopilot.AutopilotResult,
            failure=autopilot.failure,
        ),
    )
}

_BY_REQUEST: dict[type[Request], Operation] = {operation.request: operation for operation in OPERATIONS.values()}


def operation_for(request: Request) -> Operation:
    """The operation that a request asks for: each request type belongs to one."""
    return _BY_REQUEST[type(request)]
