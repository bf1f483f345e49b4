"""Which models can be had in 4 bits, and what is told of a file's tensors."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from brewslm.models.formats import impossible
from brewslm.models.four_bit import counted, group_size, tensor_types, unquantisable
from brewslm.models.vllm_model import NoAnswer, VllmModel, unrunnable


@pytest.fixture
def model(tmp_path):
    def made(hidden, inner, heads, keys=None, **more):
        config = {"hidden_size": hidden, "intermediate_size": inner, "num_attention_heads": heads, **more}
        (tmp_path / "config.json").write_text(json.dumps(config | ({"num_key_value_heads": keys} if keys else {})))
        return tmp_path

    return made


def test_the_group_is_the_largest_that_divides_every_width(model):
    assert group_size(model(576, 1536, 9, 3)) == 64  # SmolLM2-135M
    assert group_size(model(128, 256, 4, 2)) == 128
    assert group_size(model(96, 96, 3)) == 32
    assert group_size(model(48, 96, 3)) is None


def test_a_model_that_can_not_be_had_in_four_bits_says_why(model):
    assert unquantisable(model(576, 1536, 9, 3)) is None
    assert "divides its widths 48, 96" in unquantisable(model(48, 96, 3))
    assert "has 16" in unquantisable(model(64, 128, 4, 1))  # one key head of 16


def test_a_model_whose_heads_vllm_does_not_know_is_impossible_for_its_formats(model):
    folder = model(64, 128, 4, 2)
    assert "are 16 wide" in unrunnable(folder) and unrunnable(model(576, 1536, 9, 3)) is None
    folder = model(64, 128, 4, 2)
    assert [name for name in ("vllm", "awq", "gptq", "hf") if impossible(name, "causal", whole=False, folder=folder)] == [
        "vllm", "awq", "gptq",
    ]  # fmt: skip
    folder = model(64, 48, 2)
    assert impossible("vllm", "causal", whole=False, folder=folder) is None
    assert "48" in impossible("gptq", "causal", whole=False, folder=folder)


def test_what_each_tensor_became_is_read_from_the_file(tmp_path):
    layer = {f"model.up_proj.weight_{part}": np.zeros(1, np.int32) for part in ("packed", "scale", "zero_point", "shape")}
    save_file({"model.norm.weight": np.zeros(2, np.float16), **layer}, tmp_path / "model.safetensors")
    types = tensor_types(tmp_path / "model.safetensors")
    assert types == {"model.norm.weight": "F16", "model.up_proj.weight": "INT4"}
    assert counted(types) == {"F16": 1, "INT4": 1}


def test_a_server_that_is_not_there_is_no_answer():
    model = VllmModel("http://127.0.0.1:9/v1", "m")
    for ask in (lambda: model.prompt_ids([]), lambda: model.top1([1], [2]), lambda: model.answer([1], 2)):
        with pytest.raises(NoAnswer, match="Connect"):
            ask()
    model.close()
