"""What comes in at a model's doors: to hold what it reads in training against what it reads when it is asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import Architecture

PICTURE = "patch_embedding"


@contextmanager
def _watching(model: Any) -> Iterator[dict[str, Any]]:
    """Module without parts → the first tensor that it was given, in the order in which they were called."""
    import torch

    seen: dict[str, Any] = {}

    def watcher(name: str) -> Callable[..., None]:
        def watch(_module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            found = next((one for one in (*given, *named.values()) if isinstance(one, torch.Tensor)), None)
            if found is not None:
                seen.setdefault(name, found.detach().clone())

        return watch

    leaves = [(name, one) for name, one in model.named_modules() if not list(one.children())]
    hooks = [one.register_forward_pre_hook(watcher(name), with_kwargs=True) for name, one in leaves]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def assert_reads_alike(architecture: Architecture, model: Any, handler: TaskHandler, payload: dict[str, Any]) -> None:
    """A row as training shows it to the model, and as whoever asks does: the same at the first door, and at the picture's.

    A model that writes from left to right is shown the answer too in training: what it is asked must then be the beginning.
    """
    prompt = handler.prompt(payload)
    row = architecture.encode("r", prompt, handler.completion(payload))
    with _watching(model) as trained:
        architecture.loss(model, architecture.collate([row]))
    with _watching(model) as asked:
        architecture.predictor(model).generate([prompt], 1)
    for name in {next(iter(trained)), next(iter(asked)), *(one for one in asked if one.endswith(PICTURE))}:
        ours, theirs = trained[name], asked[name]
        if ours.dim() == 2 and ours.shape[1] > theirs.shape[1]:
            ours = ours[:, : theirs.shape[1]]
        assert ours.shape == theirs.shape and bool((ours == theirs).all()), name
