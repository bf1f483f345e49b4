"""Attention over a pack: each row attends to the shared prefix and to itself, and nothing else is computed.

Attention with one dense mask over the whole pack would compute every row against every other and throw that away: on 16 rows of
33 tokens ten times the work. Here rows are laid side by side for attention alone; all other layers see one sequence, unpadded.
"""

from dataclasses import dataclass
from typing import Any

from brewslm.models.packing import Pack

NAME = "brewslm_pack"


@dataclass(frozen=True)
class Rows:
    """Where the rows of a pack stand.

    Attributes:
        prefix: Tokens of the shared prefix.
        places: Places of each row's own tokens in the pack; filled up with 0: (rows, longest).
        back: For each own token of the pack, its place in `places`, flattened: (own tokens,).
        bias: 0 where a row's token may look, -inf where it may not: (longest, prefix + longest).
    """

    prefix: int
    places: Any
    back: Any
    bias: Any


def rows_of(packed: Pack, device: Any = "cpu") -> Rows:
    """The layout of a pack, on a device."""
    import torch

    count, longest = len(packed.lengths), max(packed.lengths)
    places = torch.zeros(count, longest, dtype=torch.long)
    back: list[int] = []
    start = packed.prefix
    for row, length in enumerate(packed.lengths):
        places[row, :length] = torch.arange(start, start + length)
        back += range(row * longest, row * longest + length)
        start += length
    hidden = torch.ones(longest, longest, dtype=torch.bool).triu(1)
    bias = torch.zeros(longest, packed.prefix + longest)
    bias[:, packed.prefix :].masked_fill_(hidden, float("-inf"))
    return Rows(packed.prefix, places.to(device), torch.tensor(back, device=device), bias.to(device))


def attend_within_rows(model: Any) -> None:
    """Let a transformers model attend this way; from then on its forward wants `rows`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    model.set_attn_implementation(NAME)


def attend(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, *, rows: Rows, scaling: float, dropout: float = 0.0,
    sliding_window: int | None = None, **_: Any,
) -> tuple[Any, None]:  # fmt: skip
    """What transformers calls in every layer.

    Args:
        query: (1, heads, tokens, width); `key` and `value` (1, fewer heads, tokens, width).
        attention_mask: None; `rows` says who sees whom.

    Returns:
        (1, tokens, heads, width), and no weights.

    Raises:
        ValueError: A row is longer than the window that this layer's tokens can see.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention as attention

    if sliding_window and rows.bias.shape[1] > sliding_window:
        raise ValueError(f"a row of {rows.bias.shape[1]} tokens is longer than the model's window of {sliding_window}")
    group = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(group, 1) for part in (key, value))
    first_query, first_key, first_value = (part[:, :, : rows.prefix] for part in (query, key, value))
    own, own_key, own_value = (_side_by_side(part, rows) for part in (query, key, value))
    every = (len(rows.places), -1, -1, -1)
    keys, values = (torch.cat(pair, 2) for pair in ((first_key.expand(every), own_key), (first_value.expand(every), own_value)))
    out = attention(own, keys, values, attn_mask=rows.bias.to(own.dtype), dropout_p=dropout, scale=scaling)
    flat = out.transpose(1, 2).flatten(0, 1)[rows.back]
    if rows.prefix:
        first = attention(first_query, first_key, first_value, dropout_p=dropout, scale=scaling, is_causal=True)
        flat = torch.cat([first[0].transpose(0, 1), flat])
    return flat[None], None


def _side_by_side(whole: Any, rows: Rows) -> Any:
    """(1, heads, tokens, width) of the pack as (rows, heads, longest, width)."""
    return whole[0].transpose(0, 1)[rows.places].transpose(1, 2)
