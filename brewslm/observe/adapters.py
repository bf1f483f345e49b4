"""The adapter presets, for whoever chooses one."""

from pydantic import BaseModel

from brewslm import presets
from brewslm.stages.prepare.adapters import AS_IT_IS, AUTO, AdapterPreset

_CHOOSING = {
    AUTO: "The preset of the task profile that most rows are of.",
    AS_IT_IS: "The same, and every other field of a row is kept as it is.",
}


class AdapterView(BaseModel):
    """A preset.

    Attributes:
        fields: Canonical fields; "?" after one that a row may lack.
        task_profile: What rows become; "" where it depends on them.
    """

    name: str
    task_profile: str
    accepts: list[str]
    fields: list[str]
    meaning: str


def adapters() -> list[AdapterView]:
    """Every preset, those that choose for themselves first."""
    chosen = [AdapterView(name=name, task_profile="", accepts=[], fields=[], meaning=said) for name, said in _CHOOSING.items()]
    return [*chosen, *(_view(name, presets.load("adapters", name, AdapterPreset)) for name in presets.names("adapters"))]


def _view(name: str, preset: AdapterPreset) -> AdapterView:
    fields = [f"{field}?" if field in preset.optional else field for field in preset.fields]
    said = (presets.FOLDER / "adapters" / f"{name}.yaml").read_text().splitlines()[0].removeprefix("# ")
    return AdapterView(name=name, task_profile=preset.task_profile, accepts=preset.accepts, fields=fields, meaning=said)
