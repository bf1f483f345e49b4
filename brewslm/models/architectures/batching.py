"""The passes of a step: rows of like length together, padded, and no more positions at once than memory is planned for."""

from collections.abc import Sequence

from brewslm.models.architectures.base import Encoded


def passes_of(batch: Sequence[Encoded], most_tokens: int) -> list[list[Encoded]]:
    """The rows of a step in passes whose padded positions (rows times the longest) are at most so many.

    A row longer than that gets a pass of its own. Rows are sorted by length; among equals their order stays.
    """
    passes: list[list[Encoded]] = []
    for one in sorted(batch, key=lambda each: each.tokens, reverse=True):
        if passes and (len(passes[-1]) + 1) * passes[-1][0].tokens <= most_tokens:
            passes[-1].append(one)
        else:
            passes.append([one])
    return passes


def padded_tokens(one: Sequence[Encoded]) -> int:
    """Positions of a pass, padding too."""
    return len(one) * max(each.tokens for each in one)
