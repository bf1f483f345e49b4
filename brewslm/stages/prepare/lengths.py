"""How long a row is in the base model's tokens: asked and answered, as training will see it."""

from functools import cached_property
from typing import Any

from brewslm import presets
from brewslm.errors import StageError
from brewslm.handlers import handler_if_any
from brewslm.handlers.base import TaskHandler
from brewslm.models.architectures import architecture_for
from brewslm.models.catalogue import BaseModelInfo
from brewslm.models.recipe import preset_for, recipe_named
from brewslm.models.templates import example_lengths
from brewslm.models.turns import TurnsRewritten, talk_ids
from brewslm.reasons.refusals import TemplateUnusable
from brewslm.rows import RowReason
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.prepare.adapters import AdapterPreset


class Lengths:
    """Counts tokens with the base model's own tokenizer and template, or as its architecture reads a row.

    A task profile without a handler yet is measured by what its row says, and two tokens for marks.

    Args:
        schema: The labels or types of all rows, which a prompt may name.
        asked: The longest row that was asked for; None: the task's recipe says, and never more than the model's context.

    Attributes:
        most: Tokens of the longest row that is let through.
    """

    def __init__(self, base: BaseModelInfo, preset: AdapterPreset, schema: OutputSchema, asked: int | None) -> None:
        handler = handler_if_any(preset.task_profile, schema)
        # A model of another kind can't be asked these rows: preflight will say so.
        self._preset, self._handler = preset, handler if handler and base.architecture in handler.architectures else None
        self._architecture = None if base.architecture == "causal" else architecture_for(base.architecture, base.folder, schema)
        self._folder = base.folder
        named = preset_for(preset.task_profile, base.architecture, base.locator)
        own = recipe_named(named).max_length if named in presets.names("recipes") else None
        self.most = min(asked or own or base.context_length, base.context_length)

    def of(self, rows: list[dict[str, Any]]) -> list[int | RowReason]:
        """Tokens of each row of canonical fields, or why the base model can't be asked it."""
        if not rows:
            return []
        if self._handler is None:
            return [*self._of_texts(rows)]
        if self._handler.every_turn:  # the order of a talk's messages is the row's own
            return [self._of_talk(self._handler, row) for row in rows]
        return [*self._of_prompts(self._handler, rows)]

    def _of_prompts(self, handler: TaskHandler, rows: list[dict[str, Any]]) -> list[int]:
        prompts = [handler.prompt(row) for row in rows]
        completions = [handler.completion(row) for row in rows]
        if self._architecture is not None:
            return self._architecture.lengths(prompts, completions)
        return example_lengths(self._tokenizer, prompts, completions)

    def _of_talk(self, handler: TaskHandler, row: dict[str, Any]) -> int | RowReason:
        try:
            ids, _ = talk_ids(self._tokenizer, handler.prompt(row).messages, handler.completion(row))
        except TurnsRewritten:
            return RowReason.TURNS_REWRITTEN
        except StageError as refused:
            if not isinstance(refused.reason, TemplateUnusable) or not self._tokenizer.chat_template:
                raise
            return RowReason.TEMPLATE_REFUSES
        return len(ids)

    def _of_texts(self, rows: list[dict[str, Any]]) -> list[int]:
        texts = [f"{self._preset.words(row)}\n{self._preset.target(row)}" for row in rows]
        if self._preset.input_field == self._preset.target_field:
            texts = [self._preset.text(row) for row in rows]
        return [len(ids) + 2 for ids in self._tokenizer(texts, add_special_tokens=False)["input_ids"]]

    @cached_property
    def _tokenizer(self) -> Any:
        from brewslm.models.loading import load_tokenizer

        return load_tokenizer(self._folder)
