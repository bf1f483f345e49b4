"""A model behind an OpenAI-compatible endpoint that answers prompts, as the weights in memory do."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import exp
from threading import Lock
from typing import Any, TypeVar

from brewslm.errors import StageError
from brewslm.models.constrained import Schema
from brewslm.models.prompt import Answered, Labelling, Listener, Prompt, Scoring, SendsMessages, Stop
from brewslm.reasons.refusals import InvalidRequest

T = TypeVar("T")
PARALLEL = 4
TIMEOUT_SECONDS, RETRIES = 300.0, 2
TOP_TOKENS = 20
"""Most probable tokens that are asked for at each place: what an OpenAI endpoint gives at most."""
LABEL_TOKENS = 64


class EndpointPredictor(SendsMessages):
    """Answers over HTTP, through the official client, at temperature 0.

    How labels are had hangs on what the endpoint can do, which is tried once, with a question that no model answers by itself:
    under a grammar (llama.cpp's `grammar`, vLLM's `structured_outputs`), else as JSON of a schema, else as free text, of which
    only a label by itself counts.

    Args:
        base_url: Up to and with "/v1".
        model: The name that the endpoint answers to.
        on_answers: Told of each prompt that is answered.
        labelling: How labels are had; None: the best way that the endpoint knows.
        api_key: What it wants as its key.
        timeout_seconds: The longest that one answer may take; asked again after it so many times (`retries`).
    """

    def __init__(
        self, base_url: str, model: str, on_answers: Listener | None = None, labelling: Labelling | None = None,
        api_key: str = "none", timeout_seconds: float = TIMEOUT_SECONDS, retries: int = RETRIES,
    ) -> None:  # fmt: skip
        from openai import OpenAI

        self._client = OpenAI(base_url=base_url, api_key=api_key, timeout=timeout_seconds, max_retries=retries)
        self._base_url, self._model, self._on_answers, self._wanted = base_url, model, on_answers, labelling

    @cached_property
    def template_sha256(self) -> str:  # type: ignore[override]
        """Of the chat template that llama.cpp's server tells of; "" of others, which keep it to themselves."""
        import httpx2

        try:
            said = httpx2.get(f"{self._base_url.removesuffix('/v1')}/props", timeout=5.0).json()
            template = said.get("chat_template")
        except (httpx2.HTTPError, ValueError, AttributeError):
            return ""
        return hashlib.sha256(template.encode()).hexdigest() if isinstance(template, str) and template else ""

    @cached_property
    def labelling(self) -> "Way":
        """How it gives labels."""
        known = [way for way in WAYS if self._wanted in (None, way.scoring)]
        return next((way for way in known if self._can(way)), FREELY)

    def _can(self, way: "Way") -> bool:
        """Whether it keeps to two words that nobody would write."""
        import openai

        prompt = Prompt(({"role": "user", "content": "Say hello."},), plain="")
        try:
            said = self._asked(prompt, LABEL_TOKENS, **way.asked(NONSENSE)).choices[0].message.content or ""
        except (openai.BadRequestError, openai.UnprocessableEntityError, openai.InternalServerError):
            return False  # it does not know the field, and says so
        return way.read(said, NONSENSE) in NONSENSE

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of them: (prompts, labels).

        Under llama.cpp's grammar the model gives the probabilities of the likeliest tokens at each place too. Where labels part,
        each takes the probability of the likeliest token with which it can go on, relative to the other labels that were still
        possible; once a label stands alone, the rest of it is taken as certain. A label whose token is not among the likeliest is
        given half the least probability that was listed: it has less than that.

        Otherwise the label that was written has all; where none was, all are 0.
        """
        way = self.labelling
        more = {"logprobs": True, "top_logprobs": max(TOP_TOKENS, 2 * len(labels))} if way.tells_probabilities else {}

        def read(choice: Any) -> list[float]:
            written = way.read(choice.message.content or "", labels)
            steps = choice.logprobs.content if way.tells_probabilities and choice.logprobs else []
            return label_probabilities(written, steps or [], labels)

        return self._each(prompts, LABEL_TOKENS, way.scoring, read, **way.asked(labels), **more)

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: Schema | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; with a JSON schema, the endpoint keeps the answer to it."""
        more = {"response_format": _json_of(schema)} if schema else {}
        scoring: Scoring = "constrained" if schema else "free_text"
        return self._each(prompts, max_new_tokens, scoring, lambda choice: choice.message.content or "", **more)

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
        """Id of the most probable token after these ones; None where the endpoint can't be asked so.

        llama.cpp's server names the id beside its log-probability; vLLM writes it in the token's place, when it is asked to.
        """
        import openai

        wanted: dict[str, Any] = {"return_tokens_as_token_ids": True}
        try:
            said = self._client.completions.create(
                model=self._model, prompt=list(ids), temperature=0.0, max_tokens=1, logprobs=1, extra_body=wanted
            )
        except (openai.BadRequestError, openai.NotFoundError, openai.UnprocessableEntityError):
            return None  # it takes no token ids, or does not know the field
        told = said.choices[0].logprobs if said.choices else None
        steps: list[dict[str, Any]] = getattr(told, "content", None) or []
        if steps:
            return steps[0].get("id")
        _, is_id, written = ((getattr(told, "tokens", None) or [""])[0] or "").partition("token_id:")
        return int(written) if is_id and written.isdecimal() else None

    def written(self, prompt: Prompt, most: int) -> str:
        """The greedy answer in at most so many tokens."""
        return self._asked(prompt, most).choices[0].message.content or ""

    def known_models(self) -> list[str]:
        """The names that it says it answers to; [] where it tells of none."""
        import openai

        try:
            return [one.id for one in self._client.models.list()]
        except openai.NotFoundError:
            return []

    def _asked(self, prompt: Prompt, max_tokens: int, **more: Any) -> Any:
        """The completion.

        Raises:
            openai.APIError: There is no answer, or what came is no chat completion: the client itself takes anything for one.
        """
        import httpx2
        import openai

        messages: Any = list(prompt.messages)
        try:
            said = self._client.chat.completions.create(
                model=self._model, messages=messages, temperature=0.0, max_tokens=max_tokens, **more
            )
        except ValueError:  # JSON that is none
            said = None
        choices = getattr(said, "choices", None)
        if not choices or getattr(choices[0], "message", None) is None:
            raise openai.APIError("no chat completion", httpx2.Request("POST", self._base_url), body=None)
        return said

    def _each(
        self, prompts: Sequence[Prompt], most: int, scoring: Scoring, read: Callable[[Any], T], **more: Any
    ) -> list[T]:  # fmt: skip
        """Some at a time, in the order asked; each is told of as it comes."""
        telling = Lock()

        def ask(place: int) -> T:
            began = time.monotonic()
            said = self._asked(prompts[place], most, **more)
            choice, taken = said.choices[0], time.monotonic() - began
            answer = read(choice)
            whole: Stop = "schema" if scoring.startswith("constrained") else "end"
            asked, written = (said.usage.prompt_tokens, said.usage.completion_tokens) if said.usage else (0, 0)
            if self._on_answers:
                with telling:
                    stop = "limit" if choice.finish_reason == "length" else whole
                    self._on_answers([Answered(place, answer, scoring, stop, asked, written, taken / at_once, taken)])
            return answer

        at_once = min(PARALLEL, max(1, len(prompts)))
        with ThreadPoolExecutor(at_once) as pool:
            waiting = [pool.submit(ask, place) for place in range(len(prompts))]
            try:
                return [one.result() for one in waiting]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


@dataclass(frozen=True)
class Way:
    """One way to have a label from an endpoint.

    Attributes:
        asked: What is added to a request for it.
        read: The label of what was written; "" where it is none.
    """

    scoring: Labelling
    asked: Callable[[Sequence[str]], dict[str, Any]]
    read: Callable[[str, Sequence[str]], str]
    tells_probabilities: bool = False


def _grammar(labels: Sequence[str]) -> dict[str, Any]:
    grammar = "root ::= " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)
    return {"extra_body": {"grammar": grammar}}


def _choice(labels: Sequence[str]) -> dict[str, Any]:
    return {"extra_body": {"structured_outputs": {"choice": list(labels)}}}


def _object(labels: Sequence[str]) -> dict[str, Any]:
    schema = {
        "type": "object", "properties": {"label": {"type": "string", "enum": list(labels)}}, "required": ["label"],
        "additionalProperties": False,
    }  # fmt: skip
    return {"response_format": _json_of(schema)}


def _json_of(schema: Schema) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def plainly(written: str, labels: Sequence[str]) -> str:
    """The label that a text is, but for white space around it; "" where it is none."""
    return written.strip() if written.strip() in labels else ""


def _of_object(written: str, labels: Sequence[str]) -> str:
    try:
        said = json.loads(written)
    except ValueError:
        return ""
    label = said.get("label") if isinstance(said, dict) else None
    return label if isinstance(label, str) and label in labels else ""


WAYS = (
    Way("constrained", _grammar, plainly, tells_probabilities=True),
    Way("constrained", _choice, plainly),
    Way("constrained_json", _object, _of_object),
)
FREELY = Way("strict_parsing", lambda _: {}, plainly)
NONSENSE = ("xqzjv", "jvwkq")


def label_probabilities(written: str, steps: Sequence[Any], labels: Sequence[str]) -> list[float]:
    """The labels' probabilities from the tokens that were likeliest at each place of one answer.

    Args:
        written: The label that the model wrote; where it is none, all are 0.
        steps: OpenAI's `logprobs.content`: at each place `token`, `logprob` and `top_logprobs`.
    """
    if written not in labels:
        return [0.0] * len(labels)
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
