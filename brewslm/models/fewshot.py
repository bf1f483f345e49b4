"""A predictor that shows right answers before it asks (in-context examples: Brown et al. 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brewslm.models.prompt import Prompt, TellingPredictor

Shot = tuple[Prompt, str]
"""A question, and its right answer."""


def shown(prompt: Prompt, shots: Sequence[Shot]) -> Prompt:
    """A prompt behind its shots: each a turn of the talk, after the prompt's own system message; or a block of the plain text."""
    lead = 1 if prompt.messages and prompt.messages[0]["role"] == "system" else 0
    turns = []
    for asked, answer in shots:
        turns += [message for message in asked.messages if message["role"] != "system"]
        turns.append({"role": "assistant", "content": answer})
    plain = "".join(f"{asked.plain} {answer}\n\n" for asked, answer in shots)
    return Prompt((*prompt.messages[:lead], *turns, *prompt.messages[lead:]), plain + prompt.plain)


@dataclass(frozen=True)
class FewShotPredictor:
    """Another predictor, which is asked each prompt behind the same shots."""

    predictor: TellingPredictor
    shots: Sequence[Shot]

    @property
    def template_sha256(self) -> str:
        """See `TellingPredictor`."""
        return self.predictor.template_sha256

    def among(self, prompts: Sequence[Prompt]) -> None:
        """See `TellingPredictor`."""
        self.predictor.among(self._shown(prompts))

    def sent(self, prompt: Prompt) -> str:
        """See `TellingPredictor`."""
        return self.predictor.sent(shown(prompt, self.shots))

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        """See `Predictor`."""
        return self.predictor.label_scores(self._shown(prompts), labels)

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict[str, Any] | None = None) -> list[str]:
        """See `Predictor`."""
        return self.predictor.generate(self._shown(prompts), max_new_tokens, schema)

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """See `Predictor`."""
        return self.predictor.log_likelihoods(self._shown(prompts), completions)

    def _shown(self, prompts: Sequence[Prompt]) -> list[Prompt]:
        return [shown(prompt, self.shots) for prompt in prompts]
