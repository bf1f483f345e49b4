"""Labels as a tree of their tokens: what labels begin with in common is computed once, and all of them in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LabelTree:
    """Some labels' tokens.

    A node is a token after which another one follows, in whatever label; what stands before all labels is node 0, the prompt's
    last token. A step goes from a node to a token: it is what has a probability.

    Attributes:
        tokens: Of each node but the first: (nodes - 1,).
        parents: The node before each of them.
        depths: How many tokens of a label stand before each of them.
        steps: (node, token), each once.
        paths: Of each label, its steps.
    """

    tokens: list[int]
    parents: list[int]
    depths: list[int]
    steps: list[tuple[int, int]]
    paths: list[list[int]]

    @classmethod
    def of(cls, labels: Sequence[Sequence[int]]) -> "LabelTree":
        """Of labels' token ids, each at least one; a label may begin with another."""
        nodes: dict[tuple[int, ...], int] = {(): 0}
        inner = sorted({tuple(ids[:length]) for ids in labels for length in range(1, len(ids))}, key=len)
        nodes |= {prefix: number for number, prefix in enumerate(inner, 1)}
        steps: dict[tuple[int, int], int] = {}
        paths = [
            [steps.setdefault((nodes[tuple(ids[:at])], token), len(steps)) for at, token in enumerate(ids)] for ids in labels
        ]
        return cls(
            tokens=[prefix[-1] for prefix in inner], parents=[nodes[prefix[:-1]] for prefix in inner],
            depths=[len(prefix) - 1 for prefix in inner], steps=list(steps), paths=paths,
        )  # fmt: skip

    def sees(self) -> Any:
        """Which node sees which, itself and those before it: (nodes - 1, nodes - 1) of booleans."""
        import torch

        seen = torch.eye(len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self.parents):
            if parent:
                seen[node] |= seen[parent - 1]
        return seen

    def scores(self, hidden: Any, head: Any, at_once: int, *, among_labels: bool = False) -> Any:
        """Each label's log-probability.

        Args:
            hidden: (rows, nodes, width): the model's last state at each node.
            head: From states to logits.
            at_once: Logits of so many states at a time.
            among_labels: A step's probability is that among the steps from its node alone, as where the model writes under a
                grammar of the labels: what else it would have said there counts nothing.

        Returns:
            (rows, labels), in fp32.
        """
        import torch

        nodes, tokens = (torch.tensor(part) for part in zip(*self.steps, strict=True))
        taken = torch.zeros(len(self.steps), len(self.paths))
        for label, path in enumerate(self.paths):
            taken[path, label] = 1.0
        found = []
        step = max(1, at_once // hidden.shape[1])
        for some in torch.split(hidden, step):
            logits = head(some).float()
            said = logits[:, nodes, tokens]
            if among_labels:
                every = torch.full((len(some), hidden.shape[1], len(self.steps)), float("-inf"))
                every[:, nodes, range(len(self.steps))] = said
                found.append(said - every.logsumexp(-1)[:, nodes])
            else:
                found.append(said - logits.logsumexp(-1)[:, nodes])
        return torch.cat(found) @ taken
