"""The export of the tiny model as a project has it, and what a comparison of it could have measured."""

import pytest

from brewslm.stages.export.choosing import frontier, recommended
from brewslm.stages.export.compare import CompareResult
from brewslm.store.database import transaction
from brewslm.store.tables import Export
from tests.experiments import adopt_bundle, make_experiment
from tests.stages.test_export_variants import variant

MEASURED = (
    variant("gguf-f16", 270, 40, 0.0), variant("gguf-q8_0", 145, 90, 0.01),
    variant("gguf-q4_k_m", 100, 100, 0.2, 0.85, worse=True),
)  # fmt: skip


@pytest.fixture
def exported(project, tiny_model, tiny_adapter, tiny_bundle) -> str:
    """The id of a really made export."""
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


@pytest.fixture
def compared(exported) -> str:
    """The same, measured: figures that a real one could have."""
    variants = list(MEASURED)
    found = CompareResult(
        export_id=exported, experiment_id="exp-1", metric="macro_f1", higher_is_better=True, n=100, reference="gguf-f16",
        variants=variants, skipped={"safetensors-merged": "it is a part of another format"}, pareto=frontier(variants),
        recommended=recommended(variants, higher_is_better=True).variant, seconds=1.0,
    )  # fmt: skip
    with transaction() as session:
        session.get_one(Export, exported).comparison = found.model_dump(mode="json")
    return exported
