"""Models that are not causal: their rows and their plan. Memory and time are by formula; `--probe` measures both."""

import sys
from collections import Counter

from brewslm.handlers import handler_for
from brewslm.handlers.examples import encode
from brewslm.models.architectures import Encoded, architecture_for
from brewslm.models.architectures.batching import padded_tokens, passes_of
from brewslm.models.memory import FLOAT_BYTES, constants
from brewslm.models.work import gemm_flops
from brewslm.processes.context import Context
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.manifest import PreparedData
from brewslm.rows.reasons import RowReason
from brewslm.stages.preflight.job import PreflightJob
from brewslm.stages.preflight.plan import TrainPlan

TRAINED_BYTES = 12
"""Of a weight that is trained: its gradient, and AdamW's two moments."""
LAYER_BYTES = 120
"""Of a position in a layer, for each of its width: what a transformer layer keeps for the backward pass, 30 values in fp32."""
BACKWARD = 3
"""Operations of a step are three times those of its forward pass, where every weight is trained."""


def encoded_rows(job: PreflightJob, data: PreparedData, context: Context) -> tuple[list[Encoded], Counter[RowReason]]:
    """Every row of train as the model reads it, however long; and how many can't be, by reason."""
    schema = data.manifest.output_schema
    train = data.train()
    context.progress(0, len(train), "rows")
    architecture = architecture_for(job.base.architecture, job.base.folder, schema)
    handler = handler_for(data.manifest.task_profile, schema)
    rows, rejected = encode(train, handler, architecture, sys.maxsize, LedgerKeeper())
    context.progress(len(train), len(train), "rows")
    return rows, Counter(reason for _, reason in rejected)


def plan_of(job: PreflightJob, rows: list[Encoded]) -> TrainPlan:
    """The plan over these rows."""
    base, recipe, runtime = job.base, job.recipe, job.runtime
    longest = sorted(rows, key=lambda one: one.tokens, reverse=True)[: recipe.batch_size]
    at_once = max(padded_tokens(one) for one in passes_of(longest, recipe.pack_tokens))
    tokens = sum(one.tokens for one in rows)
    trained = trained_weights(job)
    memory = {
        "weights": FLOAT_BYTES * base.parameters, "trained": TRAINED_BYTES * trained,
        "activations": LAYER_BYTES * at_once * base.layers * base.hidden_size, "logits": 0, "overhead": 0,
        "runtime": constants().runtime_bytes[runtime.device],
    }  # fmt: skip
    bf16 = recipe.multiplies_in_bf16()
    pace = constants().gemm_share["bf16" if bf16 else "fp32"] * gemm_flops(
        base.hidden_size, base.hidden_size * 4, bf16, runtime.threads
    )
    multiplied = max(1, base.parameters - base.vocabulary * base.hidden_size)  # an embedding is looked up
    work = 2.0 * BACKWARD * multiplied * tokens * recipe.epochs
    return TrainPlan(
        base_model=base.locator, recipe=recipe, runtime=runtime, rows=len(rows),
        steps=max(1, round(recipe.epochs * -(-len(rows) // recipe.batch_size))), tokens=tokens,
        longest_tokens=longest[0].tokens, shared_prefix_tokens=0, memory_bytes=memory | {"total": sum(memory.values())},
        memory_basis="formula", seconds=round(work / pace, 3), seconds_basis="three times the forward pass, by formula",
    )  # fmt: skip


def trained_weights(job: PreflightJob) -> int:
    """Weights that the optimizer moves: all of them, or an adapter's on the six matrices of each layer."""
    if job.recipe.method == "full":
        return job.base.parameters
    wide = job.base.hidden_size
    return job.base.layers * job.recipe.lora_r * (4 * 2 * wide + 2 * 5 * wide)
