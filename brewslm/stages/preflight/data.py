"""What the prepared rows must be."""

from collections.abc import Iterator

from brewslm.handlers import HANDLERS, handler_for
from brewslm.handlers.eval_pack import EvalPack
from brewslm.handlers.examples import tokenise
from brewslm.models.loading import load_tokenizer
from brewslm.models.packing import Example
from brewslm.processes.context import Context
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import Manifest, PreparedData
from brewslm.stages.preflight.finding import Finding
from brewslm.stages.preflight.job import PreflightJob


def check_task(manifest: Manifest) -> Iterator[Finding]:
    """There is a handler, and something to tell apart."""
    if manifest.task_profile not in HANDLERS:
        yield Finding(
            code="handler_missing", severity="blocker", measured=manifest.task_profile, limit=", ".join(HANDLERS),
            next_step="Prepare rows of a task profile that has a handler.", fatal=True,
        )  # fmt: skip
    labels = manifest.output_schema.labels
    if manifest.task_profile == "classification" and len(labels) < 2:
        yield Finding(
            code="one_label", severity="blocker", measured=f"{len(labels)} label in train", limit="at least 2",
            next_step="Import rows of another label, and prepare again.",
        )  # fmt: skip


def check_gates(manifest: Manifest, pack: EvalPack) -> Iterator[Finding]:
    """Each required gate must be about a metric that this handler emits, and the eval rows must be able to decide it."""
    handler = HANDLERS.get(manifest.task_profile)
    rows = manifest.splits["eval"].rows
    if rows == 0:
        yield Finding(
            code="no_eval_rows", severity="blocker", measured="0 rows in eval", limit="at least 1",
            next_step="Prepare with --eval-rows.",
        )  # fmt: skip
    for gate in pack.gates(manifest.task_profile) if handler and rows else ():
        if gate.required and gate.metric not in handler.metric_ids:  # type: ignore[union-attr]
            yield Finding(
                code="gate_metric_unknown", severity="blocker", measured=f"{gate.gate} wants {gate.metric}",
                limit=", ".join(sorted(handler.metric_ids)), next_step="Choose another --eval-pack.",  # type: ignore[union-attr]
            )  # fmt: skip
        elif gate.required and not gate.decidable(rows):
            yield Finding(
                code="gate_undecidable", severity="blocker", measured=f"{rows} eval rows for {gate.gate}",
                limit=f"{gate.metric} {gate.operator} {gate.threshold} within a 95 % interval",
                next_step="Prepare with more --eval-rows.",
            )  # fmt: skip


def tokenised_rows(job: PreflightJob, data: PreparedData, context: Context) -> tuple[list[Example], list[Finding]]:
    """Tokenise every row as training will, and say how many can't be trained on."""
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    train = data.train()
    context.progress(0, len(train), "rows")
    examples, rejected = tokenise(train, handler, load_tokenizer(job.base.folder), job.recipe.max_length, LedgerKeeper())
    context.progress(len(train), len(train), "rows")
    findings = []
    for reason in sorted({reason for _, reason in rejected}):
        count = sum(one is reason for _, one in rejected)
        findings.append(
            Finding(
                code=f"rows_{reason.value}", severity="warning" if examples else "blocker",
                measured=f"{count} of {len(train)} rows",
                limit=f"{job.recipe.max_length} tokens" if reason.value == "over_length" else "an answer in each row",
                next_step="Raise --set max_length=…, or look at the rows in rejected.jsonl.",
            )
        )  # fmt: skip
    if not examples:
        findings.append(
            Finding(
                code="no_trainable_rows", severity="blocker", measured=f"0 of {len(train)} rows", limit="at least 1",
                next_step="Prepare with more rows.", fatal=True,
            )
        )  # fmt: skip
    return examples, findings
