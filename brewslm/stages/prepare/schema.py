"""What right answers look like over some rows: the labels or types that a model is shown."""

from collections.abc import Iterable
from typing import Any

from brewslm.rows.manifest import OutputSchema
from brewslm.stages.prepare.adapters import AdapterPreset


class SchemaSeen:
    """Gathers labels and entity types."""

    def __init__(self, preset: AdapterPreset) -> None:
        self._preset = preset
        self.labels: set[str] = set()
        self.types: set[str] = set()
        self.fields: dict[str, None] = {}

    def take(self, adapted: dict[str, Any]) -> None:
        """One row's canonical fields."""
        if self._preset.stratify_by:
            self.labels.add(self._preset.stratum(adapted))
        entities = adapted.get("entities_json")
        if isinstance(entities, dict):
            self.types |= {entity["type"] for entity in entities.get("entities", ()) if "type" in entity}
        if "fields" in self._preset.fields:
            self.fields |= dict.fromkeys(adapted["fields"])

    def schema(self) -> OutputSchema:
        """Of the rows so far."""
        return OutputSchema(
            scoring_mode=self._preset.scoring_mode, labels=sorted(self.labels), entity_types=sorted(self.types),
            fields=list(self.fields),
        )  # fmt: skip


def schema_of(rows: Iterable[dict[str, Any]], preset: AdapterPreset) -> OutputSchema:
    """Of all these rows of canonical fields."""
    seen = SchemaSeen(preset)
    for row in rows:
        seen.take(row)
    return seen.schema()
