"""prepare.run: look at every row, decide, write, measure what leaked, and freeze the manifest over it all."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.filters.preset import cleaning_preset
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.prepare import DatasetPrepared, LeakageFound
from brewslm.reasons.refusals import OneLabel
from brewslm.rows.manifest import Leakage, Manifest, MeasuredFor, PiiReport, PreparedFile, PreparedRow
from brewslm.stages.prepare.adapters import AdapterPreset, adapter_named
from brewslm.stages.prepare.against_gold import AgainstGold
from brewslm.stages.prepare.candidates import Candidates, dominant_profile, fitting_preset
from brewslm.stages.prepare.card import card
from brewslm.stages.prepare.decide import Decision, decide
from brewslm.stages.prepare.former import read_former
from brewslm.stages.prepare.job import PrepareJob, PrepareResult
from brewslm.stages.prepare.leaks import Leaks
from brewslm.stages.prepare.lengths import Lengths
from brewslm.stages.prepare.link import point_at
from brewslm.stages.prepare.notes import notes
from brewslm.stages.prepare.schema import schema_of
from brewslm.stages.prepare.statistics import Statistics, statistics
from brewslm.stages.prepare.survey import Survey, survey
from brewslm.stages.prepare.write import Written, file_of, write
from brewslm.store.files import new_folder, project_folder, sha256, write_atomic, write_json
from brewslm.store.records import project_of
from brewslm.store.tables import DataManifest, Run


def run(job: PrepareJob, context: Context) -> PrepareResult:
    """Freeze the rows; until the last file is written there is no version.

    Raises:
        StageError(NothingToPrepare): No row is of the task profile that was asked for, or too few for a split.
        StageError(OneLabel): Rows of a classification all have the same one.
        StageError(InvalidRequest): Dev and eval would take every row, or no preset adapts this task profile.
        StageError(LeakageFound): The written files have rows on both sides.
        StageError(GoldSetChanged): A locked gold set is not what was locked.
    """
    request = job.request
    adapter, preset = adapter_named(
        request.adapter, lambda: dominant_profile(job), request.task_profile, lambda known: fitting_preset(job, known)
    )
    jaccard = cleaning_preset().near_duplicate.jaccard
    candidates, leaks, gold = Candidates(job, preset), Leaks(preset, jaccard), AgainstGold(job.gold, preset, jaccard)
    schema = schema_of((one.adapted for one in candidates if one.reason is None), preset)
    if preset.task_profile == "classification" and len(schema.labels) == 1:
        raise StageError(OneLabel(), "nothing can be learnt from these rows", cause=f"the one label is {schema.labels[0]!r}")
    lengths = Lengths(job.base, preset, schema, request.max_tokens)
    seen = survey(candidates, preset, request, lengths, context)
    former = read_former(job)
    decision = decide(seen, candidates, leaks, gold, request, preset.task_profile, former)
    with new_folder(job.prepared / f"v{job.version}") as folder:
        written = write(folder, candidates, preset, decision, context)
        leakage = _measured(leaks, gold, folder, written)
        figures = _statistics(folder, preset, seen, decision, written)
        manifest = _manifest(job, adapter, preset, lengths, decision, written, leakage, seen)
        manifest = _with_files(folder, manifest, figures, written)
        write_json(folder / "manifest.json", manifest.model_dump(mode="json"))
        digest = sha256(folder / "manifest.json")
    return PrepareResult(
        ledger=manifest.ledger, version=job.version, path=f"prepared/v{job.version}/manifest.json", sha256=digest,
        task_profile=manifest.task_profile, adapter_preset=adapter, output_schema=manifest.output_schema,
        rows=manifest.rows, continued=decision.continued, pii_findings=manifest.pii.findings,
        notes=notes(manifest, job.former),
    )  # fmt: skip


def _measured(leaks: Leaks, gold: AgainstGold, folder: Path, written: Written) -> Leakage:
    """Zero, or it does not pass."""
    held_out = [row for split in ("eval", "gold") if split in written.splits for row in _rows(folder, split)]
    leakage = leaks.measured(_rows(folder, "train"), held_out + gold.rows())
    if leakage.equal_texts or leakage.near_duplicates:
        reason = LeakageFound(equal_texts=leakage.equal_texts, near_duplicates=leakage.near_duplicates)
        cause = f"{leakage.equal_texts} texts of train stand in eval or gold, {leakage.near_duplicates} nearly"
        raise StageError(reason, "the split leaks", cause=cause)
    return leakage


def _rows(folder: Path, split: str) -> "list[PreparedRow] | map[PreparedRow]":
    from brewslm.rows import RowFile

    return map(PreparedRow.model_validate, RowFile(folder / f"{split}.jsonl").rows())


def _statistics(folder: Path, preset: AdapterPreset, seen: Survey, decision: Decision, written: Written) -> Statistics:
    texts = {
        split: (
            preset.words(row.payload) or preset.target(row.payload)
            for row in _rows(folder, file)
            if (row.slice == "dev") is (split == "dev")
        )
        for split, file in (("train", "train"), ("dev", "train"), ("eval", "eval"), ("gold", "gold"))
    }
    return statistics(seen.column("tokens"), decision, written.labels, texts)


def _manifest(
    job: PrepareJob, adapter: str, preset: AdapterPreset, lengths: Lengths, decision: Decision, written: Written,
    leakage: Leakage, seen: Survey,
) -> Manifest:  # fmt: skip
    return Manifest(
        project=job.project, version=job.version, created_at=job.created_at, seed=job.request.seed,
        task_profile=preset.task_profile, adapter_preset=adapter, output_schema=written.schema,
        base_model=MeasuredFor(
            locator=job.base.locator, tokenizer_sha256=job.base.tokenizer_sha256, template_sha256=job.base.template_sha256,
            max_tokens=lengths.most,
        ),
        split=decision.policy, continued=decision.continued, splits=written.splits, rows=decision.counts(),
        imports=sorted(written.origins), leakage=leakage,
        pii=PiiReport(policy=job.request.pii, findings=seen.rows_with_pii(decision.places >= 0)),
        ledger=written.ledger,
    )  # fmt: skip


def _with_files(folder: Path, manifest: Manifest, figures: Statistics, written: Written) -> Manifest:
    """Statistics and card beside the rows, and their hashes in the manifest."""
    write_json(folder / "statistics.json", figures.model_dump(mode="json"))
    write_atomic(folder / "README.md", card(manifest, figures).encode())
    more: list[PreparedFile] = [file_of(folder, name) for name in ("statistics.json", "README.md")]
    return manifest.model_copy(update={"files": [*written.rejected, *more]})


def record(result: PrepareResult, session: Session, run: Run) -> Sequence[Reason]:
    """Enter the manifest, take it into use, and point prepared/ at it."""
    assert run.project_id is not None and result.ledger is not None
    session.add(
        DataManifest(
            project_id=run.project_id, version=result.version, run_id=run.id, path=result.path, sha256=result.sha256,
            task_profile=result.task_profile, rows=result.rows,
        )
    )  # fmt: skip
    project_of(session, run.project_id).active_manifest = result.version
    session.flush()
    point_at(project_folder(run.project_id) / "prepared", result.version)
    return [
        DatasetPrepared(
            manifest_version=result.version,
            manifest_sha256=result.sha256,
            task_profile=result.task_profile,
            rows=result.rows,
            ledger=result.ledger.counts(),
        )
    ]
