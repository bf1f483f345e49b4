"""A model in this process that answers prompts."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from brewslm.models.constrained import Schema, processor
from brewslm.models.packing import common_prefix
from brewslm.models.prompt import WHOLE_TEXT, Prompt
from brewslm.models.templates import Style, answer_ids, end_token_id, pad_left, prompt_ids

T = TypeVar("T")
Parts = tuple[list[int], list[int]]
"""The ids of a prompt, and of what is said after it."""
BATCH = 32
LOGITS = 256
"""Tokens whose logits are there at once: a whole batch's, over 49,152 words, would take gigabytes."""


class WeightsPredictor:
    """Answers with weights in memory.

    Args:
        model: A causal language model of transformers, in eval mode.
        style: Whether prompts go through the chat template or as plain text.
        on_done: Told how many more prompts are answered, after each batch.
    """

    def __init__(self, model: Any, tokenizer: Any, style: Style = "chat", on_done: Callable[[int], None] | None = None) -> None:
        self._model, self._tokenizer, self._style, self._on_done = model, tokenizer, style, on_done
        self._end = end_token_id(tokenizer)

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of the labels: (prompts, labels).

        A label's score is the log-probability of its tokens after the prompt; its end mark counts too where one label
        begins with another. The prompt is computed once and shared by all labels.
        """
        lead = " " if self._style == "plain" else ""
        candidates = [answer_ids(self._tokenizer, lead + label) for label in labels]
        if any(a != b and b[: len(a)] == a for a in candidates for b in candidates):
            candidates = [[*ids, self._end] for ids in candidates]
        ids = [prompt_ids(self._tokenizer, prompt, self._style) for prompt in prompts]
        prefix = self._prefix(ids)
        return self._batched(ids, len, lambda batch: self._score(batch, candidates, *prefix))

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: Schema | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; a plain prompt's ends at its first line break.

        With a schema, each is JSON of it.
        """
        ids = [prompt_ids(self._tokenizer, prompt, self._style) for prompt in prompts]
        return self._batched(ids, len, lambda batch: self._continue(batch, max_new_tokens, schema))

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability (natural, summed) of its completion's tokens and end mark, and how many they are.

        An answer to a plain prompt has no end mark, and none is counted; nor for a whole text, whose perplexity this is for: a
        base model that never saw our mark after a text would look worse than it is. What all prompts begin with is computed once.
        """
        parts = [self._parts(prompt, text) for prompt, text in zip(prompts, completions, strict=True)]
        prefix = self._prefix([asked for asked, _ in parts])
        return self._batched(
            parts, lambda one: len(one[0]) + len(one[1]), lambda batch: self._likelihoods(batch, *prefix)
        )  # fmt: skip

    def _parts(self, prompt: Prompt, completion: str) -> Parts:
        whole, plain = prompt == WHOLE_TEXT, self._style == "plain"
        said = answer_ids(self._tokenizer, " " + completion if plain and not whole else completion)
        return prompt_ids(self._tokenizer, prompt, self._style), said if plain or whole else [*said, self._end]

    def _batched(self, items: list[T], length: Callable[[T], int], answer: Callable[[list[T]], list[Any]]) -> list[Any]:
        """Answers in the order asked, computed in order of length so that little padding is needed."""
        order = sorted(range(len(items)), key=lambda place: length(items[place]))
        answers: list[Any] = [None] * len(items)
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            for place, one in zip(batch, answer([items[place] for place in batch]), strict=True):
                answers[place] = one
            if self._on_done:
                self._on_done(len(batch))
        return answers

    def _prefix(self, ids: list[list[int]]) -> tuple[int, Any]:
        """How many tokens all prompts begin with, and the cache of them: the instruction is computed once, not once a row."""
        import torch

        shared = common_prefix([prompt[:-1] for prompt in ids]) if len(ids) > 1 else []
        if not shared:
            return 0, None
        with torch.inference_mode():
            return len(shared), self._model(input_ids=torch.tensor([shared]), use_cache=True, logits_to_keep=1).past_key_values

    def _score(self, batch: list[list[int]], candidates: list[list[int]], shared: int, prefix: Any) -> list[list[float]]:
        import torch

        given, attention = self._after_prefix(batch, shared, prefix)
        longer = max(len(tokens) for tokens in candidates) > 1
        with torch.inference_mode():
            out = self._model(**given, logits_to_keep=1)
            first = out.logits[:, -1].float().log_softmax(-1)
            scores = first[:, [tokens[0] for tokens in candidates]]
            if longer:
                scores = scores + self._rest(out.past_key_values, attention, candidates)
            probabilities: list[list[float]] = scores.softmax(-1).tolist()
        return probabilities

    def _after_prefix(self, batch: list[list[int]], shared: int, prefix: Any) -> tuple[dict[str, Any], Any]:
        """What the model is given of a batch whose first `shared` tokens are in the cache `prefix`; and the attention mask."""
        import torch

        padded, mask = pad_left([ids[shared:] for ids in batch], self._end)
        attention = torch.cat([torch.ones(len(batch), shared, dtype=torch.long), torch.tensor(mask)], 1)
        cache = copy.deepcopy(prefix)
        if cache is not None:
            cache.batch_repeat_interleave(len(batch))
        given = {
            "input_ids": torch.tensor(padded), "attention_mask": attention, "position_ids": _positions(attention)[:, shared:],
            "past_key_values": cache, "use_cache": True,
        }  # fmt: skip
        return given, attention

    def _likelihoods(self, batch: list[Parts], shared: int, prefix: Any) -> list[tuple[float, int]]:
        import torch

        counts = [len(said) for _, said in batch]
        given, _ = self._after_prefix([asked + said for asked, said in batch], shared, prefix)
        targets = torch.tensor([token for _, said in batch for token in said], dtype=torch.long)
        with torch.inference_mode():
            hidden = self._model.get_decoder()(**given).last_hidden_state
            before = torch.cat([row[len(row) - count - 1 : -1] for row, count in zip(hidden, counts, strict=True)])
            head = self._model.get_output_embeddings()
            found = torch.zeros(len(targets))
            for at in range(0, len(targets), LOGITS):
                said = head(before[at : at + LOGITS]).float().log_softmax(-1)
                found[at : at + LOGITS] = said.gather(1, targets[at : at + LOGITS, None])[:, 0]
        sums = (part.sum().item() for part in torch.split(found, counts))
        return list(zip(sums, counts, strict=True))

    def _rest(self, cache: Any, attention: Any, candidates: list[list[int]]) -> Any:
        """Log-probability of each label's tokens after its first, on the prompts' cache: (prompts, labels)."""
        import torch

        rows, count = attention.shape[0], len(candidates)
        longest = max(len(tokens) for tokens in candidates)
        cache.batch_repeat_interleave(count)
        inputs = torch.tensor([tokens[:-1] + [self._end] * (longest - len(tokens)) for tokens in candidates]).repeat(rows, 1)
        targets = torch.tensor([tokens[1:] + [-1] * (longest - len(tokens)) for tokens in candidates]).repeat(rows, 1)
        seen = torch.cat([attention.repeat_interleave(count, 0), torch.ones_like(inputs)], 1)
        positions = _positions(seen)[:, -inputs.shape[1] :]
        logits = self._model(
            input_ids=inputs, attention_mask=seen, position_ids=positions, past_key_values=cache, use_cache=True
        ).logits
        said = logits.float().log_softmax(-1).gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
        return (said * (targets >= 0)).sum(-1).view(rows, count)

    def _continue(self, batch: list[list[int]], max_new_tokens: int, schema: Schema | None) -> list[str]:
        import torch
        from transformers import GenerationConfig

        padded, mask = pad_left(batch, self._end)
        config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=self._end, pad_token_id=self._end)
        keeps = [processor(self._tokenizer, schema, self._end, max_new_tokens)] if schema else None
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=torch.tensor(padded),
                attention_mask=torch.tensor(mask),
                generation_config=config,
                logits_processor=keeps,
            )
        texts = [self._text(ids) for ids in out[:, len(padded[0]) :].tolist()]
        return [text.strip().partition("\n")[0] for text in texts] if self._style == "plain" else texts

    def _text(self, ids: list[int]) -> str:
        until = ids.index(self._end) if self._end in ids else len(ids)
        text: str = self._tokenizer.decode(ids[:until], skip_special_tokens=True)
        return text


def _positions(attention: Any) -> Any:
    """Position ids that start at each row's first real token."""
    return (attention.cumsum(-1) - 1).clamp(min=0)
