"""Attention over a pack: each row attends to the shared prefix and to itself, and nothing else is computed.

Attention with one dense mask over the whole pack would compute every row against every other and throw that away: on 16 rows of
33 tokens ten times the work. Here rows are laid side by side for attention alone; all other layers see one sequence, unpadded.
"""

from dataclasses import dataclass
from typing import Any

from brewslm.models.packing import Pack

NAME = "brewslm_pack"
ROUNDED_TO, LONGEST_ROUNDED_TO = 32, 8
"""Tokens of a pass, and of its longest row, are rounded up to a multiple of these, by filler that belongs to no row.

oneDNN compiles each product anew for each number of tokens, some 30 a pass, and glibc can seldom use a freed block again where
no two passes want blocks of one size: a process grew by 0.7 GB in 14 steps, with filler by 0.25 in 16. Of 100 tokens two are
filler.
"""


@dataclass(frozen=True)
class Rows:
    """Where the rows of a pack stand.

    Attributes:
        prefix: Tokens of the shared prefix.
        seen: The most that a token sees: the prefix and the longest row.
        shape: (rows, longest), the longest rounded up.
        back: For each own token of the pack, its place when the rows lie side by side, flattened: (own tokens,).
        filler: Tokens after the last row, which nothing sees.
        bias: 0 where a row's token may look, -inf where it may not: (longest, prefix + longest).
    """

    prefix: int
    seen: int
    shape: tuple[int, int]
    back: Any
    filler: int
    bias: Any


def rows_of(packed: Pack, device: Any = "cpu") -> Rows:
    """The layout of a pack, on a device."""
    import torch

    count, longest = len(packed.lengths), _up(max(packed.lengths), LONGEST_ROUNDED_TO)
    back = [place for row, length in enumerate(packed.lengths) for place in range(row * longest, row * longest + length)]
    hidden = torch.ones(longest, longest, dtype=torch.bool).triu(1)
    bias = torch.zeros(longest, packed.prefix + longest)
    bias[:, packed.prefix :].masked_fill_(hidden, float("-inf"))
    return Rows(
        packed.prefix, packed.prefix + max(packed.lengths), (count, longest), torch.tensor(back, device=device),
        filler_of(packed), bias.to(device),
    )  # fmt: skip


def filler_of(packed: Pack) -> int:
    """How many tokens of filler are to follow a pack's own, which `rows_of` expects of its ids."""
    return _up(len(packed.ids), ROUNDED_TO) - len(packed.ids)


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


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
        query: (1, heads, tokens with filler, width); `key` and `value` (1, fewer heads, as many, width).
        attention_mask: None; `rows` says who sees whom.

    Returns:
        (1, tokens with filler, heads, width), zero for filler; and no weights.

    Raises:
        ValueError: A row is longer than the window that this layer's tokens can see.
    """
    import torch

    if sliding_window and rows.seen > sliding_window:
        raise ValueError(f"a row of {rows.seen} tokens is longer than the model's window of {sliding_window}")
    flat_query = (query[0] * scaling).to(value.dtype).transpose(0, 1)
    flat_key, flat_value = key[0].to(value.dtype).transpose(0, 1), value[0].transpose(0, 1)
    end = len(flat_query) - rows.filler
    own = (_side_by_side(part[rows.prefix : end], rows) for part in (flat_query, flat_key, flat_value))
    own_query, own_key, own_value = own
    first_key, first_value = (part[: rows.prefix].transpose(0, 1) for part in (flat_key, flat_value))
    every = (len(own_query), -1, -1, -1)
    keys, values = (torch.cat(pair, 2) for pair in ((first_key.expand(every), own_key), (first_value.expand(every), own_value)))
    flat = [_flat(_attention(own_query, keys, values, rows.bias, dropout), rows)]
    if rows.prefix:
        first_query = flat_query[: rows.prefix].transpose(0, 1)
        first = _attention(first_query[None], first_key[None], first_value[None], _causal(rows.prefix, rows.bias), dropout)
        flat.insert(0, first[0].transpose(0, 1))
    if rows.filler:
        flat.append(flat[0].new_zeros(rows.filler, *flat[0].shape[1:]))
    return torch.cat(flat)[None], None


def _attention(query: Any, key: Any, value: Any, bias: Any, dropout: float) -> Any:
    """(rows, heads, longest, width) of a scaled query that sees (rows, key heads, seen, width)."""
    from brewslm.models.kernels.attention import MOST, attention

    count, heads, longest, width = query.shape
    if query.device.type != "cpu" or dropout or heads * longest * key.shape[2] > MOST:
        from torch.nn.functional import scaled_dot_product_attention

        mask = bias.to(query.dtype)
        return scaled_dot_product_attention(query, key, value, mask, dropout, scale=1.0, enable_gqa=heads != key.shape[1])
    together = (count * key.shape[1], -1, width)  # the query heads of one key head lie one below the other: none is repeated
    out = attention(query.reshape(together), key.reshape(together), value.reshape(together), bias)
    return out.view(count, heads, longest, width)


def _causal(length: int, like: Any) -> Any:
    import torch

    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu(1)


def _side_by_side(own: Any, rows: Rows) -> Any:
    """(own tokens, heads, width) as (rows, heads, longest, width), zero where a row is shorter."""
    import torch

    count, longest = rows.shape
    places = own.new_zeros(count * longest, *own.shape[1:])
    return torch.index_copy(places, 0, rows.back, own).view(count, longest, *own.shape[1:]).transpose(1, 2)


def _flat(beside: Any, rows: Rows) -> Any:
    """The way back: (rows, heads, longest, width) as (own tokens, heads, width)."""
    return beside.transpose(1, 2).flatten(0, 1).index_select(0, rows.back)
