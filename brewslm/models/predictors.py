"""A model in this process that answers prompts."""

from collections.abc import Callable, Sequence
from typing import Any

from brewslm.models.prompt import Prompt
from brewslm.models.templates import Style, end_token_id, pad_left, prompt_ids, text_ids

BATCH = 32


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
        candidates = [text_ids(self._tokenizer, lead + label) for label in labels]
        if any(a != b and b[: len(a)] == a for a in candidates for b in candidates):
            candidates = [[*ids, self._end] for ids in candidates]
        return self._batched(prompts, BATCH, lambda batch: self._score(batch, candidates))

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; a plain prompt's ends at its first line break."""
        return self._batched(prompts, BATCH, lambda batch: self._continue(batch, max_new_tokens))

    def _batched(self, prompts: Sequence[Prompt], size: int, answer: Callable[[list[list[int]]], list[Any]]) -> list[Any]:
        """Answers in the order asked, computed in order of length so that little padding is needed."""
        ids = [prompt_ids(self._tokenizer, prompt, self._style) for prompt in prompts]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        answers: list[Any] = [None] * len(ids)
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            for place, one in zip(batch, answer([ids[place] for place in batch]), strict=True):
                answers[place] = one
            if self._on_done:
                self._on_done(len(batch))
        return answers

    def _score(self, batch: list[list[int]], candidates: list[list[int]]) -> list[list[float]]:
        import torch

        padded, mask = pad_left(batch, self._end)
        ids, attention = torch.tensor(padded), torch.tensor(mask)
        longer = max(len(tokens) for tokens in candidates) > 1
        with torch.inference_mode():
            out = self._model(
                input_ids=ids, attention_mask=attention, position_ids=_positions(attention), logits_to_keep=1, use_cache=longer
            )
            first = out.logits[:, -1].float().log_softmax(-1)
            scores = first[:, [tokens[0] for tokens in candidates]]
            if longer:
                scores = scores + self._rest(out.past_key_values, attention, candidates)
            probabilities: list[list[float]] = scores.softmax(-1).tolist()
        return probabilities

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

    def _continue(self, batch: list[list[int]], max_new_tokens: int) -> list[str]:
        import torch
        from transformers import GenerationConfig

        padded, mask = pad_left(batch, self._end)
        config = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=self._end, pad_token_id=self._end)
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=torch.tensor(padded), attention_mask=torch.tensor(mask), generation_config=config
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
