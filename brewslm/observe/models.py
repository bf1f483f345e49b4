"""A read-only view of the base models that are known by name."""

from pydantic import BaseModel

from brewslm.models.architectures.names import ArchitectureName
from brewslm.models.catalogue import CatalogueEntry, catalogue
from brewslm.models.memory import FOUR_BIT_BYTES, Base, Method, PassShape, estimate

USUAL_PASS = PassShape(tokens=1024, supervised=256, rows=8, longest=128, prefix=0)
USUAL_RANK = 16


class WeightBytes(BaseModel):
    """What the weights alone take in memory, computed from the model's sizes; in 4 bits, embeddings stay in bf16."""

    cpu_fp32: int
    cuda_bf16: int
    cuda_4bit: int


class TrainingBytes(BaseModel):
    """What a usual LoRA training takes: rank 16 on all layers, 8 rows of 128 tokens in a pass, 32 of each supervised.

    By preflight's own estimate, whose constants were measured on the CPU; CUDA and MPS are by its formula. What a training on
    rows of yours takes, preflight tells.
    """

    cpu_fp32: int
    cpu_bf16: int
    cuda_bf16: int
    mps_fp32: int


class BaseModelView(BaseModel):
    """A base model of the catalogue.

    Attributes:
        source: Who gives it: "package" comes through the package index, "hub" from the Hugging Face Hub, "made" is
            made on this machine and untrained.
        file_bytes: Of its weights as they are fetched; of others as bf16, computed (`file_bytes_computed`).
        training_bytes: None of architectures other than causal: preflight tells.
        gated: The hub wants a token of an account that accepted the licence.
    """

    locator: str
    name: str
    source: str
    licence: str
    model_class: str
    architecture: ArchitectureName
    parameters: int
    context_length: int
    file_bytes: int
    file_bytes_computed: bool
    weight_bytes: WeightBytes
    training_bytes: TrainingBytes | None
    gated: bool
    note: str


def base_models() -> list[BaseModelView]:
    """Every base model that is known by name; the one that needs no hub is the first."""
    return [_view(locator, entry) for locator, entry in catalogue().items()]


def _view(locator: str, entry: CatalogueEntry) -> BaseModelView:
    embedding = entry.vocabulary * entry.hidden_size
    four_bit = round((entry.parameters - embedding) * FOUR_BIT_BYTES) + 2 * embedding
    return BaseModelView(
        locator=locator, name=entry.name, source=_source(locator, entry), licence=entry.licence,
        model_class=entry.model_class, architecture=entry.architecture,
        parameters=entry.parameters, context_length=entry.context_length,
        file_bytes=entry.file_bytes or 2 * entry.parameters, file_bytes_computed=entry.file_bytes is None,
        weight_bytes=WeightBytes(cpu_fp32=4 * entry.parameters, cuda_bf16=2 * entry.parameters, cuda_4bit=four_bit),
        training_bytes=_training(entry) if entry.architecture == "causal" else None, gated=entry.gated, note=entry.note,
    )  # fmt: skip


def _source(locator: str, entry: CatalogueEntry) -> str:
    return "package" if entry.package else "made" if locator.startswith("made:") else "hub"


def _training(entry: CatalogueEntry) -> TrainingBytes:
    found, base = {}, Base(shape=entry.shape, parameters=entry.parameters)
    for name in TrainingBytes.model_fields:
        device, _, precision = name.partition("_")
        method = Method(name="lora", rank=USUAL_RANK, top_layers=1.0, bf16=precision == "bf16", device=device)
        found[name] = estimate(base, method, USUAL_PASS).total
    return TrainingBytes(**found)
