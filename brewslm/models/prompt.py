"""What is asked of a model, and whoever can answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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


class Predictor(Protocol):
    """A model that answers: weights in this process, or an endpoint."""

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """Per prompt, each label's probability given that the answer is one of them: (prompts, labels), rows sum to 1."""

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """Per prompt, the greedy continuation without its end mark; with a JSON schema, it can be nothing but JSON of it."""

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """Per prompt, the log-probability (natural, summed) of its completion's tokens and end mark, and how many they are.

        Raises:
            StageError(InvalidRequest): This predictor can't tell how probable a given text is.
        """
