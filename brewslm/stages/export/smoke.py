"""The smoke check of an export: every artifact is run, and must say what the trained model says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.agreement import Agreement, Reference, Top1, agreement, references, weights_top1
from brewslm.models.gguf_model import GgufModel
from brewslm.models.loading import load_model
from brewslm.models.prompt import Prompt
from brewslm.models.templates import prompt_text, text_ids
from brewslm.reasons.export import ExportRunFailed
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.stages.export.job import ExportJob, SmokePolicy
from brewslm.store.files import write_json

ANSWER_ROOM = 8
"""Tokens beyond the longest right answer, before a model counts as one that does not stop."""

CHECKED_AS = {"hf": "merged", "safetensors-merged": "merged"}
"""Variants that hold the same weights are checked once, under this name."""


class SmokeCheck:
    """Prompts of held-out rows, what the trained model says to them, and how each artifact agrees.

    Args:
        wanted: One for each prompt.
        limit: Tokens that an answer may have.
    """

    def __init__(
        self, experiment_id: str, policy: SmokePolicy, rows: Sequence[PreparedRow], prompts: Sequence[Prompt],
        wanted: Sequence[Reference], tokenizer: Any, limit: int,
    ) -> None:  # fmt: skip
        self._experiment, self._policy, self._limit = experiment_id, policy, limit
        self._rows, self._prompts, self._wanted, self._tokenizer = rows, prompts, wanted, tokenizer
        self._agreed: dict[str, Agreement] = {}
        self._answers: dict[str, list[dict[str, Any]]] = {}

    @classmethod
    def asked(cls, job: ExportJob, data: PreparedData, model: Any, tokenizer: Any) -> "SmokeCheck":
        """Ask the trained model, adapter on base, about rows spread over the eval split."""
        handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
        held_out = data.eval()
        rows = held_out[:: max(1, len(held_out) // job.policy.prompts)][: job.policy.prompts]
        if not rows:
            raise _disagrees(job.experiment_id, "bundle", "there is no held-out row to ask")
        prompts = [handler.live_prompt(row.payload) for row in rows]
        longest = max(len(text_ids(tokenizer, handler.completion(row.payload))) for row in rows)
        limit = min(job.policy.max_new_tokens, longest + ANSWER_ROOM)
        wanted = references(model, tokenizer, prompts, limit)
        return cls(job.experiment_id, job.policy, rows, prompts, wanted, tokenizer, limit)

    def check_merged(self, folder: Path) -> None:
        """Reload the merged weights from disk and compare.

        Raises:
            StageError(ExportRunFailed): A token differs from that of adapter on base.
        """
        self._compare("merged", weights_top1(load_model(folder, precision="fp32")))

    def check_gguf(self, file: Path, variant: str) -> None:
        """Run a GGUF file with llama.cpp: its tokenizer, its agreement, and whether it ends its answers.

        Raises:
            StageError(ExportRunFailed): One of them is not as it must be.
        """
        model = GgufModel(file, max(len(one.prompt_ids) for one in self._wanted) + 2 * self._limit)
        try:
            for prompt, one in zip(self._prompts, self._wanted, strict=True):
                if model.tokenise(prompt_text(self._tokenizer, prompt)) != one.prompt_ids:
                    raise _disagrees(self._experiment, variant, "it tokenises a prompt otherwise than in training")
            self._compare(variant, model.top1)
            self._answer(model, variant)
        finally:
            model.close()

    def top1_of(self, variant: str) -> float | None:
        """A variant's agreement; the adapter is the trained model itself and has none."""
        found = self._agreed.get(CHECKED_AS.get(variant, variant))
        return found.top1 if found else None

    def found(self, variant: str) -> dict[str, Any]:
        """What the check of a variant found, to be kept beside it."""
        name = CHECKED_AS.get(variant, variant)
        if name not in self._agreed:
            return {}
        return {"name": name, "agreement": self._agreed[name].model_dump(), "answers": self._answers.get(name, [])}

    def restore(self, found: dict[str, Any]) -> None:
        """Take back what `found` gave: the variant is whole, and is not checked again."""
        if found:
            self._agreed[found["name"]] = Agreement.model_validate(found["agreement"])
            self._answers[found["name"]] = found["answers"]

    def write(self, path: Path) -> None:
        """The smoke-check trace: every prompt with its ids, the trained model's answer, and each artifact's agreement."""
        prompts = [
            {
                "row_id": row.row_id,
                "messages": list(prompt.messages),
                "answer": self._tokenizer.decode(one.answer_ids, skip_special_tokens=True),
                **one.model_dump(),
            }
            for row, prompt, one in zip(self._rows, self._prompts, self._wanted, strict=True)
        ]
        agreed = {
            name: {"least": self._policy.agreement[name], **found.model_dump(), "answers": self._answers.get(name, [])}
            for name, found in self._agreed.items()
        }
        write_json(
            path,
            {
                "schema_version": "brewslm/smoke-trace/1",
                "experiment": self._experiment,
                "max_new_tokens": self._limit,
                "live_least": self._policy.live,
                "prompts": prompts,
                "agreement": agreed,
            },
        )

    def _compare(self, name: str, top1: Top1) -> None:
        found = self._agreed[name] = agreement(top1, self._wanted)
        least = self._policy.agreement[name]
        if found.top1 < least:
            margins = sorted(flip.margin for flip in found.flips)
            cause = (
                f"{len(found.flips)} of {found.tokens} tokens differ: {found.top1:.1%} agree, {least:.0%} is needed; "
                f"the trained model led by {margins[len(margins) // 2]:.2f} logits where the median one differs"
            )
            raise _disagrees(self._experiment, name, cause)

    def _answer(self, model: GgufModel, variant: str) -> None:
        """Let it answer freely, and keep what it said."""
        kept = self._answers[variant] = []
        for place, one in enumerate(self._wanted[: self._policy.answered]):
            text, stopped = model.answer(one.prompt_ids, 2 * self._limit)
            if one.stopped and not stopped and variant == "gguf-f16":
                raise _disagrees(self._experiment, variant, "it does not end an answer that the trained model ends")
            kept.append({"prompt": place, "text": text, "stopped": stopped})


def _disagrees(experiment_id: str, variant: str, cause: str) -> StageError:
    reason = ExportRunFailed(experiment_id=experiment_id, format=variant, error=cause)
    return StageError(reason, f"The exported {variant} does not say what the trained model says", cause=cause)
