"""Memory is counted from shapes, with constants that are those of the training as it is."""

import pytest

from bench.memory_count import counted, settings
from brewslm.models.loading import bf16_is_fast
from brewslm.models.memory import Base, Method, PassShape, constants, estimate
from brewslm.models.shape import ModelShape, shape_of
from tests.families import FAMILIES, make_family

SHAPE = ModelShape(hidden=576, layers=30, inner=1536, heads=9, kv_heads=3, head_size=64, vocabulary=49152, tied=True)
PASS = PassShape(tokens=1024, supervised=128, rows=8, longest=128, prefix=0)
LORA = Method(name="lora", rank=16, top_layers=1.0, bf16=False)


BASE, NONE = (Base(shape=SHAPE, parameters=count) for count in (SHAPE.parameters, 0))


def total(**changed) -> int:
    return estimate(BASE, LORA.model_copy(update=changed), PASS).total


@pytest.mark.parametrize("place", [0, 3])
def test_the_constants_are_what_a_training_keeps(tmp_path, place):
    """Another trainer keeps something else: then python -m bench.memory_fit --calibrate is due."""
    precision = "bf16" if bf16_is_fast() else "fp32"
    found = counted(list(settings("lora", precision))[place], tmp_path / "work")
    weigh = constants().counted[f"lora {precision}"]
    kept = sum(count * weigh.get(name, 0.0) for name, count in found.features.items())
    weights = found.peak - found.beside_weights
    assert (kept + weights) / found.peak == pytest.approx(1, abs=0.1), (kept + weights, found.peak)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_shape_of_each_family_is_read_from_its_config(tmp_path, family):
    from brewslm.models.catalogue import base_model

    folder = make_family(tmp_path / "model", family)
    shape = shape_of(folder)
    assert abs(shape.parameters / base_model(f"path:{folder}").parameters - 1) < 0.02  # but for norms and biases
    assert shape.window == (256 if family.name == "gemma3" else None) and not shape.softcap


def test_the_known_model_has_the_parameters_that_it_has():
    assert SHAPE.parameters == pytest.approx(134_515_008, rel=0.001)


def test_nothing_is_kept_below_the_layers_that_are_trained():
    whole, half = (estimate(NONE, LORA.model_copy(update={"top_layers": share}), PASS) for share in (1.0, 0.5))
    assert half.activations == pytest.approx(whole.activations / 2, rel=0.05)
    assert half.trained == pytest.approx(whole.trained / 2, rel=0.01) and half.logits == whole.logits


def test_each_part_grows_with_what_it_is_about():
    longer = PassShape(tokens=2048, supervised=128, rows=8, longest=256, prefix=0)
    wordier = PASS.model_copy(update={"supervised": 64})
    assert estimate(NONE, LORA, longer).activations > 1.9 * estimate(NONE, LORA, PASS).activations
    assert estimate(NONE, LORA, wordier).logits < 0.6 * estimate(NONE, LORA, PASS).logits
    assert total(name="dora") > total() and total(rank=64) > total()


def test_every_weight_costs_its_gradient_and_moments_and_four_bits_cost_little():
    full, qlora = (LORA.model_copy(update={"name": name}) for name in ("full", "qlora"))
    assert estimate(BASE, full, PASS).trained > 9 * SHAPE.parameters
    packed = estimate(BASE, qlora, PASS)
    assert packed.weights < 0.4 * estimate(BASE, LORA, PASS).weights and packed.basis == "formula"


@pytest.mark.parametrize(
    ("device", "basis"),
    [("cpu", "measured"), ("cuda", "formula"), ("mps", "formula")],
)
def test_only_what_was_measured_is_called_so(device, basis):
    found = estimate(BASE, LORA.model_copy(update={"device": device}), PASS)
    assert found.basis == basis and found.total == sum(size for name, size in found.parts().items() if name != "total")


def test_of_a_mapped_file_what_is_not_read_takes_no_memory_and_a_converted_one_takes_it_all():
    own_head = SHAPE.model_copy(update={"tied": False})
    mapped, converted = (Base(shape=own_head, parameters=own_head.parameters, mapped=mapped) for mapped in (True, False))
    dora = LORA.model_copy(update={"name": "dora"})
    assert converted.weight_bytes(dora) == 4 * own_head.parameters > mapped.weight_bytes(dora)
    assert converted.weight_bytes(LORA) < converted.weight_bytes(dora), "LoRA's kernels take the converted matrices' place"
    assert BASE.weight_bytes(LORA) == 4 * SHAPE.parameters, "a tied embedding is read whole, as output matrix"


def test_several_passes_a_step_take_a_little_more():
    one, four, nine = (estimate(BASE, LORA, PASS, passes).total for passes in (1, 4, 9))
    assert one < four == nine


def test_logits_are_counted_as_far_as_they_are_there_at_once():
    from brewslm.models.kernels.head import CHUNK

    many, all_at_once = (PASS.model_copy(update={"supervised": count}) for count in (1000, CHUNK))
    assert estimate(NONE, LORA, many).logits == estimate(NONE, LORA, all_at_once).logits
    full = LORA.model_copy(update={"name": "full"})
    assert estimate(NONE, full, many).logits > 2 * estimate(NONE, full, all_at_once).logits
