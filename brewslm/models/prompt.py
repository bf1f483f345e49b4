"""What is asked of a model, and whoever can answer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Message = dict[str, Any]
"""{"role": "system" | "user" | "assistant", "content": a text, or a list of parts}.

A part is {"type": "text", "text": …}, or {"type": "image" | "audio", "path": …} with what is known of the file beside its path:
sha256 and bytes, and width and height, or seconds and sample_rate.
"""


@dataclass(frozen=True)
class Prompt:
    """One question in both ways it may be put to a model.

    Attributes:
        messages: For the chat template.
        plain: The same as a plain text to be continued, for a base model that does better without its template.
    """

    messages: tuple[Message, ...]
    plain: str


def media_of(prompt: Prompt, kind: str) -> list[dict[str, Any]]:
    """The pictures ("image") or recordings ("audio") of a prompt, in their order."""
    contents = (message["content"] for message in prompt.messages if not isinstance(message["content"], str))
    return [part for content in contents for part in content if part["type"] == kind]


def words_of(message: Message) -> str:
    """The text of a message, without its pictures and recordings."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content if part["type"] == "text")


WHOLE_TEXT = Prompt((), "")
"""Nothing is asked: what is said after it is a text by itself, as in language modelling."""


Scoring = Literal[
    "label_log_probability", "head", "constrained", "constrained_json", "strict_parsing", "free_text", "log_likelihood"
]  # fmt: skip
"""How an answer was had, which is part of what a figure means: figures of two scorings are not compared.

label_log_probability: each label's whole probability after the prompt. head: the numbers of a classification head. constrained:
written under a grammar of the labels, or the JSON schema of the task. constrained_json: a label, written as a JSON object, for
want of a grammar. strict_parsing: written freely, and only an answer in the asked form counts. free_text: written freely.
log_likelihood: the probability of a given text.
"""
Labelling = Literal["label_log_probability", "constrained", "constrained_json", "strict_parsing"]
"""The scorings that labels can have from one that writes."""
Stop = Literal["end", "line", "limit", "schema"]
"""Why an answer ended: its end mark, the line break that ends a plain prompt's, the most tokens allowed, or a full schema."""


@dataclass(frozen=True)
class Answered:
    """One prompt's answer, told as soon as it is made.

    Attributes:
        place: Of the prompt among those that were asked.
        answer: What the method gives for it, as JSON values.
        stop: None where nothing was written.
        prompt_tokens, tokens: Of the prompt, and of what was written (or measured) after it; 0 where it is not known.
        seconds: Its share of the time in which its batch was computed: they sum to the time that the model took.
        latency_seconds: From when it was begun until it was there.
    """

    place: int
    answer: Any
    scoring: Scoring
    stop: Stop | None = None
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0
    latency_seconds: float = 0.0


def together(places: Sequence[int], answers: Sequence[Any], scoring: Scoring, seconds: float) -> list[Answered]:
    """Answers that one batch gave, which took so long: of places that index all answers."""
    share = seconds / max(1, len(places))
    return [Answered(place, answers[place], scoring, seconds=share, latency_seconds=seconds) for place in places]


Listener = Callable[[Sequence[Answered]], None]
"""Is told of answers as they are made, in whatever order."""


class Predictor(Protocol):
    """A model that answers: weights in this process, or an endpoint."""

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of them: (prompts, labels).

        A row sums to 1; where a model wrote freely and what it wrote is none of the labels, it is all 0.
        """

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; with a JSON schema, it can be nothing but JSON of it."""

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability (natural, summed) of its completion's tokens and end mark, and how many they are.

        Raises:
            StageError(InvalidRequest): This predictor can't tell how probable a given text is.
        """


class TellingPredictor(Predictor, Protocol):
    """One that can say what it sends."""

    @property
    def template_sha256(self) -> str:
        """Of the chat template that turns messages into text; "" where none is used, or it isn't known."""

    def among(self, prompts: Sequence[Prompt]) -> None:
        """What is asked next is a part of these: what they all begin with is shared, as if they were all asked."""

    def sent(self, prompt: Prompt) -> str:
        """The prompt as the model gets it: its text, or JSON of the messages where the template is applied elsewhere."""


class SendsMessages:
    """What predictors without a text of their own send: the messages, each picture or recording by its hash."""

    template_sha256 = ""

    def among(self, prompts: Sequence[Prompt]) -> None:
        """Nothing is shared here."""

    def sent(self, prompt: Prompt) -> str:
        """JSON of the messages."""
        messages = [{"role": one["role"], "content": _hashed(one["content"])} for one in prompt.messages]
        return json.dumps(messages, ensure_ascii=False)


def _hashed(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [part if part["type"] == "text" else {"type": part["type"], "sha256": part["sha256"]} for part in content]
