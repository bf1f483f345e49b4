"""The smoke check of an export: every artifact is run, and must say what the trained model says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brewslm.errors import StageError
from brewslm.handlers import handler_for
from brewslm.models.agreement import (
    DIVERGENCE_PLACES,
    Agreement,
    Logits,
    Reference,
    Top1,
    agreement,
    compared,
    divergences,
    log_softmax,
    references,
    weights_logits,
)
from brewslm.models.gguf_model import GgufModel
from brewslm.models.loading import load_model
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, pad_left, prompt_text, text_ids
from brewslm.reasons.export import ExportRunFailed
from brewslm.rows.manifest import PreparedData, PreparedRow
from brewslm.stages.export.job import ExportJob, SmokePolicy
from brewslm.store.files import new_file, read_json, write_json

ANSWER_ROOM = 8
"""Tokens beyond the longest right answer, before a model counts as one that does not stop."""
CHECKED_AS = {"hf": "merged", "safetensors-merged": "merged"}
"""Variants that hold the same weights are checked once, under this name."""
CHANGED_LEAST = 1e-9
"""Nats per token. An adapter that is all zeros gives 0 exactly; one step of training gives thousands of times more than this."""
CLEARLY = 0.1
"""See `nearer_to_base`."""


class SmokeCheck:
    """Prompts of held-out rows, what the trained model says to them, and how each artifact agrees.

    Args:
        wanted: One for each prompt.
        limit: Tokens that an answer may have.
        trained: Log-probabilities of the trained model, as `compared` takes them; `base`: of its base.
    """

    def __init__(
        self, experiment_id: str, policy: SmokePolicy, rows: Sequence[PreparedRow], prompts: Sequence[Prompt],
        wanted: Sequence[Reference], tokenizer: Any, limit: int, trained: Any, base: Any,
    ) -> None:  # fmt: skip
        self._experiment, self._policy, self._limit = experiment_id, policy, limit
        self._rows, self._prompts, self._wanted, self._tokenizer = rows, prompts, wanted, tokenizer
        self._trained, self._base = trained, base
        self._changed = float(divergences(trained, base).mean())
        self._agreed: dict[str, Agreement] = {}
        self._answers: dict[str, list[dict[str, Any]]] = {}
        if self._changed < CHANGED_LEAST:
            cause = f"at each of {len(trained)} tokens it says exactly what its untrained base says"
            raise _disagrees(experiment_id, "merged", cause, "The trained model changed nothing")

    @classmethod
    def asked(cls, job: ExportJob, data: PreparedData, model: Any, tokenizer: Any, kept: Path | None = None) -> "SmokeCheck":
        """Ask the trained model, adapter on base, about rows spread over the eval split; and its base at the same places.

        Args:
            kept: A folder that what they said is written to, for `again`.

        Raises:
            StageError(ExportRunFailed): There is no row to ask, or training changed nothing.
        """
        rows, prompts, limit = _questions(job, data, tokenizer)
        said: list[Any] = []
        wanted = references(model, tokenizer, prompts, limit, said.append)
        said, bases = [log_softmax(one) for one in said], [log_softmax(one) for one in _base_logits(job, model, wanted)]
        import numpy as np

        trained, base = np.concatenate(said), np.concatenate(bases)
        if kept is not None:
            for name, values in (("trained", trained), ("base", base)):
                with new_file(kept / f"{name}.npy") as file:
                    np.save(file, values)
            write_json(kept / "references.json", [one.model_dump() for one in wanted])
        return cls(job.experiment_id, job.policy, rows, prompts, wanted, tokenizer, limit, trained, base)

    @classmethod
    def again(cls, job: ExportJob, data: PreparedData, tokenizer: Any, kept: Path) -> "SmokeCheck | None":
        """What was asked before this export was killed; None when that had not ended."""
        import numpy as np

        if not (kept / "references.json").is_file():
            return None
        rows, prompts, limit = _questions(job, data, tokenizer)
        wanted = [Reference.model_validate(one) for one in read_json(kept / "references.json")]
        trained, base = (np.load(kept / f"{name}.npy", mmap_mode="r") for name in ("trained", "base"))
        return cls(job.experiment_id, job.policy, rows, prompts, wanted, tokenizer, limit, trained, base)

    def check_merged(self, folder: Path) -> None:
        """Reload the merged weights from disk and compare.

        Raises:
            StageError(ExportRunFailed): A token differs from that of adapter on base, or it does not stop by itself.
        """
        model = load_model(folder, precision="fp32")
        self._compare("merged", weights_logits(model))
        asked = self._wanted[: self._policy.answered]
        end = end_token_id(self._tokenizer)
        padded, mask = pad_left([one.prompt_ids for one in asked], end)
        import torch

        with torch.inference_mode():  # by its own generation config: nothing here says where it ends
            out = model.generate(
                input_ids=torch.tensor(padded),
                attention_mask=torch.tensor(mask),
                max_new_tokens=self.answer_tokens,
                pad_token_id=end,
            )[:, len(padded[0]) :].tolist()
        self._stops("merged", [(self._tokenizer.decode(ids, skip_special_tokens=True), _ended(ids, end)) for ids in out])

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
            self._compare(variant, model.logits)
            answered = self._wanted[: self._policy.answered]
            self._stops(variant, [model.answer(one.prompt_ids, 2 * self._limit) for one in answered])
        finally:
            model.close()

    def check_top1(self, variant: str, top1: Top1, said: Sequence[tuple[str, bool]]) -> None:
        """As `check_gguf`, for a runtime that tells no whole distribution: there is then no divergence to tell.

        Args:
            said: To each of the first `answered` prompts: its answer, and whether it stopped by itself.

        Raises:
            StageError(ExportRunFailed): One of them is not as it must be.
        """
        self._agree(variant, agreement(top1, self._wanted))
        self._stops(variant, said)

    @property
    def prompts(self) -> list[tuple[Prompt, Reference]]:
        """Every prompt, and what the trained model says to it."""
        return list(zip(self._prompts, self._wanted, strict=True))

    @property
    def answered(self) -> list[tuple[Prompt, Reference]]:
        """The prompts that are answered freely too."""
        return self.prompts[: self._policy.answered]

    @property
    def answer_tokens(self) -> int:
        """How many tokens a free answer may have."""
        return 2 * self._limit

    def of(self, variant: str) -> Agreement | None:
        """What was found of a variant; the adapter is the trained model itself and has none."""
        return self._agreed.get(CHECKED_AS.get(variant, variant))

    def stopped(self, variant: str) -> tuple[int, int] | None:
        """How many answers the variant ended by itself, of those that the trained model ends."""
        answers = self._answers.get(CHECKED_AS.get(variant, variant))
        if answers is None:
            return None
        ended = [answers[place]["stopped"] for place, one in enumerate(self._wanted[: len(answers)]) if one.stopped]
        return sum(ended), len(ended)

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
            name: {
                "least": self._policy.agreement[name],
                "stops_least": self._policy.stops[name],
                **found.model_dump(),
                "answers": self._answers.get(name, []),
            }
            for name, found in self._agreed.items()
        }
        write_json(
            path,
            {
                "schema_version": "brewslm/smoke-trace/1",
                "experiment": self._experiment,
                "max_new_tokens": self._limit,
                "live_least": self._policy.live,
                "kl_trained_to_base": self._changed,
                "prompts": prompts,
                "agreement": agreed,
            },
        )

    def _compare(self, name: str, logits: Logits) -> None:
        self._agree(name, compared(logits, self._wanted, self._trained, self._base))

    def _agree(self, name: str, found: Agreement) -> None:
        self._agreed[name] = found
        least = self._policy.agreement[name]
        alike = found.top1 >= least  # else what is merely broken is not to be taken for the base
        if nearer_to_base(found, self._changed, 1.0 if alike else CLEARLY):
            cause = (
                f"it is {found.kl_base:.2g} nats a token from the untrained base and {found.kl:.2g} from the trained model, "
                f"which training moved by {self._changed:.2g}"
            )
            raise _disagrees(self._experiment, name, cause, f"The exported {name} answers as the untrained base does")
        if found.top1 < least:
            margins = sorted(flip.margin for flip in found.flips)
            cause = (
                f"{len(found.flips)} of {found.tokens} tokens differ: {found.top1:.1%} agree, {least:.0%} is needed; "
                f"the trained model led by {margins[len(margins) // 2]:.2f} logits where the median one differs"
            )
            raise _disagrees(self._experiment, name, cause)

    def _stops(self, name: str, said: Sequence[tuple[str, bool]]) -> None:
        """Keep what it said, left to itself, and whether it ended."""
        self._answers[name] = [{"prompt": place, "text": text, "stopped": ended} for place, (text, ended) in enumerate(said)]
        ended, of = self.stopped(name) or (0, 0)
        if ended < self._policy.stops[name] * of:
            cause = f"it ends {ended} of {of} answers that the trained model ends; {self._policy.stops[name]:.0%} is needed"
            raise _disagrees(self._experiment, name, cause)


def nearer_to_base(found: Agreement, changed: float, by: float = 1.0) -> bool:
    """Whether a model says what the untrained base says: a merge that changed nothing, or that of another adapter.

    A model is one of the two with some loss of its own. Where that loss is larger than what training moved (`changed`, nats a
    token), which of the two is nearer is chance, and tells nothing.

    Args:
        by: The distance from the base, as a part of that from the trained model, at which it counts as nearer.
    """
    if found.kl is None or found.kl_base is None:
        return False
    return found.kl_base <= by * found.kl and found.kl_base < changed


def _ended(ids: Sequence[int], end: int) -> bool:
    """Whether an answer of a batch ended at its end mark: what did is filled up with that mark, what did not goes on."""
    return end in ids and all(one == end for one in ids[ids.index(end) :])


def _questions(job: ExportJob, data: PreparedData, tokenizer: Any) -> tuple[list[PreparedRow], list[Prompt], int]:
    handler = handler_for(data.manifest.task_profile, data.manifest.output_schema)
    held_out = data.eval()
    rows = held_out[:: max(1, len(held_out) // job.policy.prompts)][: job.policy.prompts]
    if not rows:
        raise _disagrees(job.experiment_id, "bundle", "there is no held-out row to ask")
    prompts = [handler.live_prompt(row.payload) for row in rows]
    longest = max(len(text_ids(tokenizer, handler.completion(row.payload))) for row in rows)
    return rows, prompts, min(job.policy.max_new_tokens, longest + ANSWER_ROOM)


def _base_logits(job: ExportJob, model: Any, wanted: Sequence[Reference]) -> list[Any]:
    """What the base alone says at the same places; a whole model has it in another folder."""
    if hasattr(model, "disable_adapter"):
        with model.disable_adapter():
            return _cut(weights_logits(model), wanted)
    return _cut(weights_logits(load_model(job.base.folder, precision="fp32")), wanted)


def _cut(logits: Logits, wanted: Sequence[Reference]) -> list[Any]:
    return [logits(one.prompt_ids, one.answer_ids)[:DIVERGENCE_PLACES] for one in wanted]


def _disagrees(experiment_id: str, variant: str, cause: str, what: str = "") -> StageError:
    reason = ExportRunFailed(experiment_id=experiment_id, format=variant, error=cause)
    return StageError(reason, what or f"The exported {variant} does not say what the trained model says", cause=cause)
