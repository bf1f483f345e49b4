"""The loss: exact, and computed only where something is supervised."""

from collections.abc import Callable, Sequence
from typing import Any

from brewslm.models.packed_attention import filler_of, rows_of
from brewslm.models.packing import Pack


def pack_loss(model: Any, packed: Pack, head: Any) -> Any:
    """Sum of the cross-entropy over the pack's supervised tokens; a scalar with its gradient.

    The stock loss multiplies every hidden state by the whole vocabulary (49,152 columns here), although only the answer's few
    tokens count. Here the rows of `hidden` that count are chosen first.

    Args:
        model: The transformers model that holds the adapter, not its PEFT wrapper; it attends within rows.
        head: The output matrix (vocabulary, hidden), from `output_matrix`.
    """
    import torch

    from brewslm.models.kernels.head import supervised_loss

    hidden, targets = _before_answers(model, packed, head)
    if not head.requires_grad:
        return supervised_loss(hidden, head, targets)
    logits = torch.nn.functional.linear(hidden.to(head.dtype), head).float()  # the kernel gives a trained head no gradient
    return torch.nn.functional.cross_entropy(logits, targets, reduction="sum")


def token_log_probs(model: Any, packed: Pack, head: Any) -> Any:
    """The log-probability of each supervised token of a pack, in the order of the pack: (supervised,), with its gradient.

    Args:
        model, head: As in `pack_loss`.
    """
    import torch

    from brewslm.models.kernels.head import token_losses

    hidden, targets = _before_answers(model, packed, head)
    if not head.requires_grad:
        return -token_losses(hidden, head, targets)
    logits = torch.nn.functional.linear(hidden.to(head.dtype), head).float()
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def _before_answers(model: Any, packed: Pack, head: Any) -> tuple[Any, Any]:
    """The hidden states that supervised tokens are predicted from: (supervised, width); and these tokens."""
    import torch

    filler = [0] * filler_of(packed)
    ids, positions = torch.tensor([[packed.ids + filler], [packed.positions + filler]], device=head.device)
    targets = torch.tensor(packed.targets + [-100] * len(filler), device=head.device)
    counted = targets != -100
    out = model.model(input_ids=ids, position_ids=positions, use_cache=False, rows=rows_of(packed, head.device))
    return out.last_hidden_state[0, counted], targets[counted]


def output_matrix(model: Any, dtype: Any) -> Callable[[], Any]:
    """A function that gives the model's output matrix.

    Where it is frozen, it is detached and converted once to the type that it is multiplied in. Where it is trained, it is what
    it is by now, with its gradient; tied to the embeddings, they get it too.
    """
    if model.lm_head.weight.requires_grad:
        return lambda: model.lm_head.weight
    kept: list[Any] = []

    def converted() -> Any:
        if not kept:  # at the first step: by then the Trainer has moved the model to its device
            kept.append(model.lm_head.weight.detach().to(dtype))
        return kept[0]

    return converted


def mean_loss(model: Any, packs: Sequence[Pack], head: Any) -> float:
    """Mean cross-entropy per supervised token over packs, without gradients."""
    import torch

    with torch.inference_mode():
        total: float = sum(pack_loss(model, packed, head).item() for packed in packs)
    return total / max(1, sum(packed.supervised for packed in packs))
