"""Which rows of train are shown to the base before it is asked, as its few-shot baseline."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, zip_longest

from brewslm.handlers.base import TaskHandler
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.fewshot import Shot, shown
from brewslm.models.loading import load_tokenizer
from brewslm.models.prompt import WHOLE_TEXT
from brewslm.models.templates import Style, prompt_ids
from brewslm.rows.manifest import PreparedRow

SHOTS, MOST_SHOTS = 4, 8
"""So many rows; of a task with more classes than that one of each, up to the most."""
SHARE_OF_WINDOW = 0.75
"""Of the model's context, the longest prompt with its shots takes at most this: the answer needs room too."""


def shots_for(
    handler: TaskHandler, base: BaseModelInfo, style: Style | None, train: Sequence[PreparedRow], rows: Sequence[PreparedRow]
) -> list[PreparedRow]:
    """As many as fit before the longest of the rows; none where a model takes no examples, or there are none to show.

    The order is by row id, which is a hash: the same rows of train give the same shots. Of each class there is one before there
    is a second of any.
    """
    if base.architecture != "causal" or style is None or handler.objective != "supervised" or handler.media is not None:
        return []
    if not train or not rows or handler.prompt(rows[0].payload) == WHOLE_TEXT:
        return []
    of_class: defaultdict[str, list[PreparedRow]] = defaultdict(list)
    for row in sorted(train, key=lambda row: row.row_id):
        of_class[min(handler.classes_of(row.payload), default="")].append(row)
    in_turn = [row for row in chain(*zip_longest(*(of_class[name] for name in sorted(of_class)))) if row is not None]
    wanted = in_turn[: min(MOST_SHOTS, max(SHOTS, len(of_class)))]
    tokenizer = load_tokenizer(base.folder)
    longest = max((handler.prompt(row.payload) for row in rows), key=lambda prompt: len(prompt.plain))
    while wanted:
        if len(prompt_ids(tokenizer, shown(longest, as_shots(handler, wanted)), style)) <= SHARE_OF_WINDOW * base.context_length:
            return wanted
        wanted = wanted[:-1]
    return []


def as_shots(handler: TaskHandler, rows: Sequence[PreparedRow]) -> list[Shot]:
    """The rows as questions with their right answers."""
    return [(handler.prompt(row.payload), handler.completion(row.payload)) for row in rows]
