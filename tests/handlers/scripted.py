"""A predictor that answers from a table: another implementation of the protocol, for handlers alone."""

from collections.abc import Callable, Sequence

from brewslm.models.prompt import Prompt


class Scripted:
    """Answers what the function says of the user's message."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer, self.limits = answer, []

    def label_scores(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[list[float]]:
        return [[float(label == self.answer(prompt.messages[-1]["content"])) for label in labels] for prompt in prompts]

    def generate(self, prompts: Sequence[Prompt], max_new_tokens: int, schema: dict | None = None) -> list[str]:
        self.limits.append(max_new_tokens)
        return [self.answer(prompt.messages[-1]["content"]) for prompt in prompts]

    def log_likelihoods(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[tuple[float, int]]:
        """A word that the answer has too costs 1, any other 2; each word is a token, and so is the end."""
        known = [set(self.answer(prompt.messages[-1]["content"]).split()) for prompt in prompts]
        words = [completion.split() for completion in completions]
        return [
            (-1.0 - sum(1.0 if one in have else 2.0 for one in said), len(said) + 1)
            for have, said in zip(known, words, strict=True)
        ]
