"""A model in this process that answers prompts."""

import copy
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from brewslm.models.constrained import Schema, closing_room, processor
from brewslm.models.decoding import Decoding, Written
from brewslm.models.label_tree import LabelTree
from brewslm.models.packing import common_prefix
from brewslm.models.prompt import WHOLE_TEXT, Answered, Labelling, Listener, Prompt, Scoring, Stop, together
from brewslm.models.templates import Style, answer_ids, end_token_id, pad_left, prompt_ids, prompt_text

T = TypeVar("T")
Parts = tuple[list[int], list[int]]
"""The ids of a prompt, and of what is said after it."""
BATCH = 32
LABEL_ROOM = 4
"""Tokens beyond the longest label, in which a written one may end."""
LOGITS = 256
"""Tokens whose logits are there at once: a whole batch's, over 49,152 words, would take gigabytes."""


class WeightsPredictor:
    """Answers with weights in memory.

    Args:
        model: A causal language model of transformers, in eval mode.
        style: Whether prompts go through the chat template or as plain text.
        on_answers: Told of each batch's answers.
        labelling: How labels are had, where they shall be comparable with those of an endpoint.
    """

    def __init__(
        self, model: Any, tokenizer: Any, style: Style = "chat", on_answers: Listener | None = None,
        labelling: Labelling = "label_log_probability",
    ) -> None:  # fmt: skip
        self._model, self._tokenizer, self._style, self._on_answers = model, tokenizer, style, on_answers
        self._labelling = labelling
        self._end = end_token_id(tokenizer)
        self._plainly = sees_all_before(model)
        self._among: Sequence[Prompt] = ()

    @property
    def template_sha256(self) -> str:
        """Of the tokenizer's chat template; "" of plain prompts, which go without it."""
        if self._style == "plain" or not self._tokenizer.chat_template:
            return ""
        return hashlib.sha256(self._tokenizer.chat_template.encode()).hexdigest()

    def among(self, prompts: Sequence[Prompt]) -> None:
        """What is asked next is a part of these, and shares what they all begin with."""
        self._among = prompts

    def sent(self, prompt: Prompt) -> str:
        """The text that is continued; "" before a whole text."""
        return "" if prompt == WHOLE_TEXT else prompt_text(self._tokenizer, prompt, self._style)

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of the labels: (prompts, labels).

        A label's score is the log-probability of its tokens after the prompt; its end mark counts too where one label
        begins with another. The prompt is computed once and shared by all labels, which are computed as a tree of their tokens.
        "constrained", a token's probability is that among those with which a label can go on; written freely, see `generate`.
        """
        if self._labelling == "strict_parsing":
            return self._written_labels(prompts, labels)
        lead = " " if self._style == "plain" else ""
        candidates = [answer_ids(self._tokenizer, lead + label) for label in labels]
        if any(a != b and b[: len(a)] == a for a in candidates for b in candidates):
            candidates = [[*ids, self._end] for ids in candidates]
        ids = [prompt_ids(self._tokenizer, prompt, self._style) for prompt in prompts]
        prefix = self._prefix(ids)
        tree = LabelTree.of(candidates)
        if self._plainly:
            return self._batched(ids, len, lambda batch: self._score_tree(batch, tree, *prefix), self._labelling)
        return self._batched(ids, len, lambda batch: self._score_each(batch, candidates, *prefix), "label_log_probability")

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: Schema | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; a plain prompt's ends at its first line break.

        With a schema, each is JSON of it; what is open after its tokens is closed, for which some more are taken.
        """
        return self._answers(prompts, max_new_tokens, schema, "constrained" if schema else "free_text", str)

    def _written_labels(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """1 for the label that is written, and nothing but a label counts."""
        most = max(len(answer_ids(self._tokenizer, label)) for label in labels) + LABEL_ROOM

        def read(text: str) -> list[float]:
            return [float(label == text.strip()) for label in labels]

        return self._answers(prompts, most, None, "strict_parsing", read)

    def _answers(
        self, prompts: Sequence[Prompt], most: int, schema: Schema | None, scoring: Scoring, read: Callable[[str], T]
    ) -> list[T]:  # fmt: skip
        ids = [prompt_ids(self._tokenizer, prompt, self._style) for prompt in prompts]
        answers: list[Any] = [None] * len(ids)
        for written in self._written(ids, most, schema):
            told = []
            for one in written:
                answers[one.place] = read(self._text(one.ids))
                told.append(
                    Answered(
                        one.place, answers[one.place], scoring, one.stop, len(ids[one.place]), len(one.ids), one.seconds,
                        one.latency_seconds,
                    )
                )  # fmt: skip
            self._tell(told)
        return answers

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability (natural, summed) of its completion's tokens and end mark, and how many they are.

        An answer to a plain prompt has no end mark, and none is counted; nor for a whole text, whose perplexity this is for: a
        base model that never saw our mark after a text would look worse than it is. What all prompts begin with is computed once.
        """
        parts = [self._parts(prompt, text) for prompt, text in zip(prompts, completions, strict=True)]
        prefix = self._prefix([asked for asked, _ in parts])
        return self._batched(
            parts, lambda one: len(one[0]) + len(one[1]), lambda batch: self._likelihoods(batch, *prefix), "log_likelihood"
        )  # fmt: skip

    def _tell(self, answers: Sequence[Answered]) -> None:
        if self._on_answers:
            self._on_answers(answers)

    def _parts(self, prompt: Prompt, completion: str) -> Parts:
        whole, plain = prompt == WHOLE_TEXT, self._style == "plain"
        said = answer_ids(self._tokenizer, " " + completion if plain and not whole else completion)
        return prompt_ids(self._tokenizer, prompt, self._style), said if plain or whole else [*said, self._end]

    def _batched(
        self, items: list[T], length: Callable[[T], int], answer: Callable[[list[T]], list[Any]], scoring: Scoring
    ) -> list[Any]:
        """Answers in the order asked, computed in order of length so that little padding is needed."""
        order = sorted(range(len(items)), key=lambda place: length(items[place]))
        answers: list[Any] = [None] * len(items)
        for start in range(0, len(order), BATCH):
            began = time.monotonic()
            batch = order[start : start + BATCH]
            for place, one in zip(batch, answer([items[place] for place in batch]), strict=True):
                answers[place] = one
            told = together(batch, answers, scoring, time.monotonic() - began)
            self._tell([replace(one, prompt_tokens=length(items[one.place])) for one in told])
        return answers

    def _prefix(self, ids: list[list[int]]) -> tuple[int, Any]:
        """How many tokens all prompts begin with, and the cache of them: the instruction is computed once, not once a row."""
        import torch

        every = [*ids, *(prompt_ids(self._tokenizer, prompt, self._style) for prompt in self._among)]
        shared = common_prefix([prompt[:-1] for prompt in every]) if len(every) > 1 else []
        if not shared:
            return 0, None
        with torch.inference_mode():
            return len(shared), self._model(input_ids=torch.tensor([shared]), use_cache=True, logits_to_keep=1).past_key_values

    def _score_tree(self, batch: list[list[int]], tree: LabelTree, shared: int, prefix: Any) -> list[list[float]]:
        """All labels in one pass: behind each prompt stand the tree's nodes, each of which sees the prompt and its own branch."""
        import torch

        own = [ids[shared:] for ids in batch]
        padded, real = pad_left(own, self._end)
        longest, nodes = len(padded[0]), len(tree.tokens)
        there = torch.tensor(real, dtype=torch.bool)
        mask = torch.zeros(len(batch), longest + nodes, shared + longest + nodes, dtype=torch.bool)
        mask[:, :, :shared] = True
        mask[:, longest:, shared : shared + longest] = there[:, None]
        mask[:, longest:, shared + longest :] = tree.sees()
        causal = torch.ones(longest, longest, dtype=torch.bool).tril()
        # What pads sees itself: a softmax over nothing would be no number, and spread.
        mask[:, :longest, shared : shared + longest] = (causal & there[:, None]) | torch.eye(longest, dtype=torch.bool)
        lengths = torch.tensor([len(ids) for ids in batch])
        before = (torch.arange(longest) - longest + lengths[:, None]).clamp(min=0)
        after = lengths[:, None] + torch.tensor(tree.depths, dtype=torch.long)
        labels = torch.tensor(tree.tokens, dtype=torch.long).expand(len(batch), -1)
        with torch.inference_mode():
            hidden = self._model.get_decoder()(
                input_ids=torch.cat([torch.tensor(padded), labels], 1),
                attention_mask=mask[:, None], position_ids=torch.cat([before, after], 1),
                past_key_values=_repeated(prefix, len(batch)), use_cache=prefix is not None,
            ).last_hidden_state[:, longest - 1 :]  # fmt: skip
            among = self._labelling == "constrained"
            scores = tree.scores(hidden, self._model.get_output_embeddings(), LOGITS, among_labels=among)
            probabilities: list[list[float]] = scores.softmax(-1).tolist()
        return probabilities

    def _score_each(self, batch: list[list[int]], candidates: list[list[int]], shared: int, prefix: Any) -> list[list[float]]:
        """The labels one by one behind each prompt, for models whose layers don't all see everything before."""
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
        given = {
            "input_ids": torch.tensor(padded), "attention_mask": attention, "position_ids": _positions(attention)[:, shared:],
            "past_key_values": _repeated(prefix, len(batch)), "use_cache": True,
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

    def _written(self, ids: list[list[int]], most: int, schema: Schema | None) -> Iterable[list[Written]]:
        """The answers, some at a time."""
        if not self._plainly:
            return self._written_in_batches(ids, most, schema)
        shared, prefix = self._prefix(ids)

        def prefill(batch: list[list[int]]) -> tuple[Any, Any]:
            import torch

            given, _ = self._after_prefix(batch, shared, prefix)
            with torch.inference_mode():
                out = self._model(**given, logits_to_keep=1)
            return out.past_key_values, out.logits[:, -1]

        is_over = self._has_line if self._style == "plain" else None
        return Decoding(self._model, self._tokenizer, prefill, shared, self._end, most, schema, is_over).answers(ids)

    def _written_in_batches(self, ids: list[list[int]], most: int, schema: Schema | None) -> Iterable[list[Written]]:
        """By transformers' own loop, which knows every kind of layer."""
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for start in range(0, len(order), BATCH):
            began = time.monotonic()
            batch = order[start : start + BATCH]
            found = self._continue([ids[place] for place in batch], most, schema)
            taken = time.monotonic() - began
            yield [
                Written(place, *self._cut(written, schema), taken / len(batch), taken)
                for place, written in zip(batch, found, strict=True)
            ]

    def _continue(self, batch: list[list[int]], max_new_tokens: int, schema: Schema | None) -> list[list[int]]:
        import torch
        from transformers import GenerationConfig

        padded, mask = pad_left(batch, self._end)
        most = max_new_tokens + (closing_room(schema) if schema else 0)
        config = GenerationConfig(max_new_tokens=most, do_sample=False, eos_token_id=self._end, pad_token_id=self._end)
        keeps = [processor(self._tokenizer, schema, self._end, max_new_tokens)] if schema else None
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=torch.tensor(padded),
                attention_mask=torch.tensor(mask),
                generation_config=config,
                logits_processor=keeps,
            )
        found: list[list[int]] = out[:, len(padded[0]) :].tolist()
        return found

    def _cut(self, written: list[int], schema: Schema | None) -> tuple[list[int], Stop]:
        """The tokens before the end mark, and why they end."""
        if self._style == "plain":
            line = next((at for at in range(1, len(written) + 1) if self._has_line(written[:at])), None)
            if line is not None and self._end not in written[:line]:
                return written[:line], "line"
        if self._end in written:
            return written[: written.index(self._end)], "schema" if schema else "end"
        return written, "limit"

    def _has_line(self, ids: list[int]) -> bool:
        return "\n" in self._decoded(ids).lstrip()

    def _decoded(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def _text(self, ids: list[int]) -> str:
        text = self._decoded(ids)
        return text.strip().partition("\n")[0] if self._style == "plain" else text


def sees_all_before(model: Any) -> bool:
    """Whether every layer is attention over all that stands before, at rotary positions, and the head's logits are as they are.

    Then a mask and positions of our own are followed to the letter. Others (sliding windows, recurrences, positions that are made
    from the mask, capped logits) are asked in transformers' own ways.
    """
    config = model.config.get_text_config(decoder=True)
    kinds = getattr(config, "layer_types", None) or ["full_attention"]
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    changed = ("final_logit_softcapping", "logit_scale", "logits_scaling", "attn_logit_softcapping")
    rotary = bool(getattr(config, "rope_parameters", None))
    return rotary and set(kinds) == {"full_attention"} and not window and not any(getattr(config, name, None) for name in changed)


def _repeated(prefix: Any, rows: int) -> Any:
    """A copy of a cache of one row, for several."""
    cache = copy.deepcopy(prefix)
    if cache is not None:
        cache.batch_repeat_interleave(rows)
    return cache


def _positions(attention: Any) -> Any:
    """Position ids that start at each row's first real token."""
    return (attention.cumsum(-1) - 1).clamp(min=0)
