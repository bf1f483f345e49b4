"""What the prepared rows must be."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from brewslm.handlers import HANDLERS, handler_for, handler_if_any
from brewslm.handlers.base import TaskHandler
from brewslm.handlers.eval_pack import EvalPack, Gate, TaskSpec, misnamed
from brewslm.handlers.examples import tokenise
from brewslm.models.packing import Packable
from brewslm.models.recipe import RECIPE_STEP, Recipe
from brewslm.processes.context import Context
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import Manifest, PreparedData
from brewslm.rows.reasons import RowReason
from brewslm.stages.preflight.finding import Finding, blocker, warning
from brewslm.stages.preflight.job import PreflightJob


@dataclass(frozen=True)
class Tokenised:
    """The rows of train.

    Attributes:
        examples: Those with something to learn from.
        rejected: How many of the others there are, by reason.
    """

    examples: list[Packable]
    rejected: Counter[RowReason]


def check_task(manifest: Manifest) -> Iterator[Finding]:
    """There is a handler, and something to tell apart."""
    if handler_if_any(manifest.task_profile, manifest.output_schema) is None:
        step = "Prepare rows of a task profile that has a handler."
        measured = f"{manifest.task_profile} scored as {manifest.output_schema.scoring_mode}"
        yield blocker("handler_missing", measured, ", ".join(HANDLERS), step, fatal=True)
    labels = manifest.output_schema.labels
    if manifest.task_profile == "classification" and len(labels) < 2:
        step = "Import rows of another label, and prepare again."
        yield blocker("one_label", f"{len(labels)} label in train", "at least 2", step)


def check_objective(manifest: Manifest, recipe: Recipe) -> Iterator[Finding]:
    """The recipe lowers what these rows are for."""
    handler = handler_if_any(manifest.task_profile, manifest.output_schema)
    if handler is not None and not recipe.suits(handler.objective):
        limit = f"{manifest.task_profile} is trained by {handler.objective}"
        step = RECIPE_STEP[handler.objective]
        yield blocker("recipe_objective", f"the recipe's objective is {recipe.objective}", limit, step, fatal=True)


def check_gates(data: PreparedData, pack: EvalPack) -> Iterator[Finding]:
    """Each gate must be about what this handler emits, and the eval rows must be able to decide it where it is required."""
    manifest = data.manifest
    handler = handler_if_any(manifest.task_profile, manifest.output_schema)
    if manifest.splits["eval"].rows == 0:
        yield blocker("no_eval_rows", "0 rows in eval", "at least 1", "Prepare with --eval-rows.")
    elif handler is not None:
        spec = pack.spec(manifest.task_profile)
        unknown = list(misnamed(spec, handler))
        for one in unknown:
            yield blocker(one.code, one.said, one.cause, "Mend the eval pack, or choose another --eval-pack.")
        known = [gate for gate in spec.gates if gate.gate_id not in {one.gate_id for one in unknown}]
        yield from _decidable(pack, spec, [gate for gate in known if gate.required], handler, data)


def _decidable(
    pack: EvalPack, spec: TaskSpec, gates: Sequence[Gate], handler: TaskHandler, data: PreparedData
) -> Iterator[Finding]:
    part = any(gate.class_id or gate.slice_id for gate in gates)
    rows = list(data.rows("eval")) if part else []
    for gate in gates:
        cut = spec.slice_of(gate)
        n = data.manifest.splits["eval"].rows
        if part and (cut is not None or gate.class_id is not None):
            inside = [row for row in rows if cut is None or cut.holds(row.payload)]
            n = sum(gate.class_id is None or gate.class_id in handler.classes_of(row.payload) for row in inside)
        what = " and ".join(
            said for said in (cut and f"slice {cut.slice_id}", gate.class_id and f"class {gate.class_id}") if said
        )  # fmt: skip
        if n == 0:
            step = "Prepare rows that have it, or make the gate optional: required: false."
            yield blocker("gate_without_rows", f"0 eval rows of {what} for gate {gate.gate_id}", "at least 1", step)
        elif not gate.decidable(n, pack.confidence):
            limit = f"{gate.metric_id} {gate.operator} {gate.threshold}, {100 * pack.confidence_of(gate):g} % sure"
            measured = f"{n} eval rows{f' of {what}' if what else ''} for gate {gate.gate_id}"
            yield blocker("gate_undecidable", measured, limit, "Prepare with more --eval-rows.")


def tokenised_rows(job: PreflightJob, data: PreparedData, tokenizer: Any, context: Context) -> Tokenised:
    """Tokenise every row as training will, however long it is."""
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    train = data.train()
    context.progress(0, len(train), "rows")
    examples, rejected = tokenise(train, handler, tokenizer, sys.maxsize, LedgerKeeper())
    context.progress(len(train), len(train), "rows")
    return Tokenised(examples, Counter(reason for _, reason in rejected))


def check_rows(lengths: Sequence[int], rejected: Counter[RowReason], max_length: int) -> Iterator[Finding]:
    """How many can't be trained on, and whether any can.

    Args:
        lengths: Of those with something to learn from.
        rejected: The others, by reason.
    """
    over = sum(length > max_length for length in lengths)
    total, left = len(lengths) + rejected.total(), len(lengths) - over
    counts = rejected + Counter({RowReason.OVER_LENGTH: over})
    for reason, count in sorted(counts.items()):
        tell = warning if left else blocker
        limits = {
            RowReason.OVER_LENGTH: f"{max_length} tokens",
            RowReason.IDENTICAL_PAIR: "two answers that differ",
            RowReason.TURNS_REWRITTEN: "a template that leaves earlier turns as they were",
        }
        limit = limits.get(reason, "an answer in each row")
        step = "Raise --set max_length=…, or look at the rows in rejected.jsonl."
        yield tell(f"rows_{reason.value}", f"{count} of {total} rows", limit, step)
    if not left:
        yield blocker("no_trainable_rows", f"0 of {total} rows", "at least 1", "Prepare with more rows.", fatal=True)
