"""Stage 7, preflight: whether this training can work here, said before it starts."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from brewslm.handlers import HANDLERS, handler_for
from brewslm.handlers.eval_pack import EvalPack, load_eval_pack
from brewslm.handlers.examples import tokenise
from brewslm.models.catalogue import BaseModelInfo, base_model
from brewslm.models.loading import load_tokenizer
from brewslm.models.memory import estimate
from brewslm.models.packing import Example, pack, shared_prefix
from brewslm.models.recipe import Recipe, recipe_named
from brewslm.models.runtime import RuntimeProfile, runtime_profile
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store import tables
from brewslm.store.records import Records

NEEDED = ("torch", "transformers", "peft", "accelerate", "safetensors")
TRAINABLE = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
"""Architectures whose layers and output matrix our loss and packs address. Proven here on Llama; the others share its layout."""


class PreflightRequest(ProjectRequest):
    """Whether the newest manifest can be trained on this machine; fields as in TrainRequest."""

    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    manifest_version: int | None = None
    eval_pack: str = "default"
    runtime: str | None = None


class PreflightJob(Job):
    """All that the checks read."""

    base: BaseModelInfo
    manifest_path: Path
    manifest_sha256: str
    recipe: Recipe
    eval_pack: EvalPack
    runtime: RuntimeProfile


class Finding(BaseModel):
    """One thing that a check found.

    Attributes:
        severity: A blocker stops training; a warning does not.
        fatal: Not even fail-open mode can train: there is nothing to train on or with.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Literal["blocker", "warning"]
    measured: str
    limit: str
    next_step: str
    fatal: bool = False


class TrainPlan(BaseModel):
    """What training would do.

    Attributes:
        longest_tokens: Of any row that is trained on.
        memory_bytes: Estimated peak, by what holds it, with "total".
    """

    model_config = ConfigDict(frozen=True)

    base_model: str
    recipe: Recipe
    runtime: RuntimeProfile
    rows: int
    steps: int
    tokens: int
    longest_tokens: int
    shared_prefix_tokens: int
    memory_bytes: dict[str, int]


class PreflightResult(Result):
    """Pass or fail, why, and the plan."""

    passed: bool
    findings: list[Finding]
    plan: TrainPlan | None

    def blockers(self) -> list[Finding]:
        """Findings that stop training."""
        return [finding for finding in self.findings if finding.severity == "blocker"]


def resolve(request: PreflightRequest, records: Records) -> PreflightJob:
    """Look up the manifest, the base model and this machine.

    Raises:
        StageError(NotPrepared, BaseModelNotFound, InvalidRequest): One of them is not there.
    """
    manifest = records.manifest(request.manifest_version)
    return PreflightJob(
        base=base_model(records.base_locator(request.base_model)),
        manifest_path=records.folder / manifest.path,
        manifest_sha256=manifest.sha256,
        recipe=recipe_named(request.recipe or manifest.task_profile, request.settings),
        eval_pack=load_eval_pack(request.eval_pack),
        runtime=runtime_profile(request.runtime),
    )


def run(job: PreflightJob, context: Context) -> PreflightResult:
    """Every check; a later one that needs what an earlier one missed is left out.

    Raises:
        StageError(ManifestMismatch): The prepared rows are not those of the manifest.
    """
    data = PreparedData(job.manifest_path, job.manifest_sha256)
    findings = [*_dependencies(), *_capability(job, data), *_tokenizer(job, data), *_gate_policy(job, data)]
    if any(finding.fatal for finding in findings):
        return PreflightResult(passed=False, findings=findings, plan=None)
    examples, more = _rows(job, data, context)
    findings += more
    plan = _plan(job, examples) if examples else None
    findings += _memory(plan) if plan else []
    blocked = any(finding.severity == "blocker" for finding in findings)
    return PreflightResult(passed=not blocked, findings=findings, plan=plan)


def record(result: PreflightResult, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Nothing to write: the run keeps the result, and a fatal finding is told when training is dispatched."""
    return ()


def _dependencies() -> Iterator[Finding]:
    for name in NEEDED:
        try:
            version(name)
        except PackageNotFoundError:
            yield Finding(
                code="dependency_missing", severity="blocker", measured=f"{name} is not installed", limit=", ".join(NEEDED),
                next_step="Run make setup.", fatal=True,
            )  # fmt: skip


def _capability(job: PreflightJob, data: PreparedData) -> Iterator[Finding]:
    if data.manifest.task_profile not in HANDLERS:
        yield Finding(
            code="handler_missing", severity="blocker", measured=data.manifest.task_profile, limit=", ".join(HANDLERS),
            next_step="Prepare rows of a task profile that has a handler.", fatal=True,
        )  # fmt: skip
    if job.base.architecture not in TRAINABLE:
        yield Finding(
            code="architecture_not_trainable", severity="blocker", measured=job.base.architecture, limit=", ".join(TRAINABLE),
            next_step="Choose another --base-model.", fatal=True,
        )  # fmt: skip
    labels = data.manifest.output_schema.labels
    if data.manifest.task_profile == "classification" and len(labels) < 2:
        yield Finding(
            code="one_label", severity="blocker", measured=f"{len(labels)} label in train", limit="at least 2",
            next_step="Import rows of another label, and prepare again.",
        )  # fmt: skip


def _tokenizer(job: PreflightJob, data: PreparedData) -> Iterator[Finding]:
    """Rows were measured in another model's tokens: lengths, and what was rejected for them, would not hold."""
    measured = data.manifest.base_model
    if measured.tokenizer_sha256 != job.base.tokenizer_sha256:
        yield Finding(
            code="tokenizer_mismatch", severity="blocker",
            measured=f"{job.base.locator} has tokenizer {job.base.tokenizer_sha256[:12]}",
            limit=f"{measured.tokenizer_sha256[:12]}, that of {measured.locator}: v{data.manifest.version} was prepared for it",
            next_step="Give the project this base model (brewslm project change), and prepare again.", fatal=True,
        )  # fmt: skip


def _gate_policy(job: PreflightJob, data: PreparedData) -> Iterator[Finding]:
    """Each required gate must be about a metric that this handler emits, and the eval rows must be able to decide it."""
    handler = HANDLERS.get(data.manifest.task_profile)
    rows = data.manifest.splits["eval"].rows
    if rows == 0:
        yield Finding(
            code="no_eval_rows", severity="blocker", measured="0 rows in eval", limit="at least 1",
            next_step="Prepare with --eval-rows.",
        )  # fmt: skip
    for gate in job.eval_pack.gates(data.manifest.task_profile) if handler and rows else ():
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


def _rows(job: PreflightJob, data: PreparedData, context: Context) -> tuple[list[Example], list[Finding]]:
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


def _plan(job: PreflightJob, examples: list[Example]) -> TrainPlan:
    prefix = shared_prefix(examples)
    packs = pack(sorted(examples, key=lambda example: len(example.ids)), prefix, job.recipe.pack_tokens)
    # A pack of any batch is at most as large as the budget or the longest row, whichever is more.
    longest = max(len(packed.ids) for packed in packs)
    needs = estimate(job.base, job.recipe.lora_r, longest, max(packed.supervised for packed in packs))
    batches = -(-len(examples) // job.recipe.batch_size)
    return TrainPlan(
        base_model=job.base.locator, recipe=job.recipe, runtime=job.runtime, rows=len(examples),
        steps=max(1, round(job.recipe.epochs * batches)), tokens=sum(len(example.ids) for example in examples),
        longest_tokens=max(len(example.ids) for example in examples), shared_prefix_tokens=len(prefix),
        memory_bytes={**needs.model_dump(), "total": needs.total},
    )  # fmt: skip


def _memory(plan: TrainPlan) -> Iterator[Finding]:
    if plan.memory_bytes["total"] > plan.runtime.memory_bytes:
        yield Finding(
            code="memory_does_not_fit", severity="blocker", measured=f"{plan.memory_bytes['total'] / 2**30:.1f} GB needed",
            limit=f"{plan.runtime.memory_bytes / 2**30:.1f} GB to use",
            next_step="Lower --set pack_tokens=… or max_length, or free memory.",
        )  # fmt: skip
