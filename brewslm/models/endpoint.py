"""A model behind an OpenAI-compatible endpoint that answers prompts, as the weights in memory do."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import exp
from typing import Any, TypeVar

from brewslm.errors import StageError
from brewslm.models.constrained import Schema
from brewslm.models.prompt import Prompt
from brewslm.reasons.refusals import InvalidRequest

T = TypeVar("T")
PARALLEL = 4
TOP_TOKENS = 20
"""Most probable tokens that are asked for at each place: what an OpenAI endpoint gives at most."""
LABEL_TOKENS = 64


class EndpointPredictor:
    """Answers over HTTP, through the official client, at temperature 0.

    Labels need llama.cpp's server, which takes a `grammar`: the answer can be nothing but one of the labels.

    Args:
        base_url: Up to and with "/v1".
        model: The name that the endpoint answers to.
        on_done: Told of each prompt that is answered.
    """

    def __init__(self, base_url: str, model: str, on_done: Callable[[int], None] | None = None) -> None:
        from openai import OpenAI

        self._client = OpenAI(base_url=base_url, api_key="none", timeout=300.0, max_retries=0)
        self._model, self._on_done = model, on_done

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of them: (prompts, labels), rows sum to 1.

        The model writes under a grammar of the labels, and gives the probabilities of the likeliest tokens at each place.
        Where labels part, each takes the probability of the likeliest token with which it can go on, relative to the other
        labels that were still possible; once a label stands alone, the rest of it is taken as certain. A label whose token
        is not among the likeliest is given half the least probability that was listed: it has less than that.
        """
        grammar = "root ::= " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)

        def ask(prompt: Prompt) -> list[float]:
            answer = self._asked(
                prompt,
                LABEL_TOKENS,
                logprobs=True,
                top_logprobs=max(TOP_TOKENS, 2 * len(labels)),
                extra_body={"grammar": grammar},
            )
            steps = answer.logprobs.content if answer.logprobs else []
            return label_probabilities(answer.message.content or "", steps or [], labels)

        return self._each(prompts, ask)

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: Schema | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; with a JSON schema, the endpoint keeps the answer to it."""
        named = {"name": "answer", "strict": True, "schema": schema}
        more = {"response_format": {"type": "json_schema", "json_schema": named}} if schema else {}
        return self._each(prompts, lambda prompt: self._asked(prompt, max_new_tokens, **more).message.content or "")

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Not to be had: an endpoint tells the log-probabilities of what it writes, not of what it is given.

        Raises:
            StageError(InvalidRequest): Always.
        """
        raise StageError(
            InvalidRequest(),
            "An endpoint can't say how probable a given text is",
            where=self._model,
            cause="llama.cpp's server, and the OpenAI API, give log-probabilities of generated tokens alone",
            next_step="Measure the weights: brewslm evaluate run EXPERIMENT.",
        )

    def prompt_length(self, prompt: Prompt) -> int | None:
        """Tokens of a prompt as the endpoint's own chat template and tokenizer make them."""
        messages: Any = list(prompt.messages)
        usage = self._client.chat.completions.create(model=self._model, messages=messages, temperature=0.0, max_tokens=1).usage
        return usage.prompt_tokens if usage else None

    def next_token(self, ids: Sequence[int]) -> int | None:
        """Id of the most probable token after these ones; llama.cpp's server names it beside its log-probability."""
        said = self._client.completions.create(model=self._model, prompt=list(ids), temperature=0.0, max_tokens=1, logprobs=1)
        steps: list[dict[str, Any]] = getattr(said.choices[0].logprobs, "content", None) or []
        return steps[0]["id"] if steps else None

    def _asked(self, prompt: Prompt, max_tokens: int, **more: Any) -> Any:
        messages: Any = list(prompt.messages)
        said = self._client.chat.completions.create(
            model=self._model, messages=messages, temperature=0.0, max_tokens=max_tokens, **more
        )
        return said.choices[0]

    def _each(self, prompts: Sequence[Prompt], ask: Callable[[Prompt], T]) -> list[T]:
        """Some at a time, in the order asked."""
        answers = []
        with ThreadPoolExecutor(PARALLEL) as pool:
            for answer in pool.map(ask, prompts):
                answers.append(answer)
                if self._on_done:
                    self._on_done(1)
        return answers


def label_probabilities(written: str, steps: Sequence[Any], labels: Sequence[str]) -> list[float]:
    """The labels' probabilities from the tokens that were likeliest at each place of one answer.

    Args:
        written: The label that the model wrote.
        steps: OpenAI's `logprobs.content`: at each place `token`, `logprob` and `top_logprobs`.
    """
    found = dict.fromkeys(labels, 0.0)
    still, before, mass = list(labels), "", 1.0
    for step in steps:
        if len(still) < 2:
            break
        shares = {label: _best(step, label[len(before) :]) for label in still}
        before += step.token
        going_on = [label for label in still if label.startswith(before) and (step.token or label == before)]
        if not going_on:  # a character was cut between tokens; what was written decides
            break
        branch = max(shares[label] for label in going_on)
        parted = {label: share for label, share in shares.items() if label not in going_on}
        total = branch + sum(parted.values())
        for label, share in parted.items():
            found[label] = mass * share / total
        still, mass = going_on, mass * branch / total
    for label in still:
        found[label] = mass if label == written else 0.0
    total = sum(found.values())
    return [found[label] / total for label in labels] if total else [float(label == written) for label in labels]


def _best(step: Any, rest: str) -> float:
    """Probability of the likeliest token with which a label can go on; an end mark's token has no text."""
    listed = [(one.token, one.logprob) for one in [step, *step.top_logprobs]]
    fitting = [score for token, score in listed if (rest.startswith(token) if token else not rest)]
    return exp(max(fitting)) if fitting else exp(min(score for _, score in listed)) / 2
