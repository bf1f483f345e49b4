"""An importance matrix is what it is said to be, by llama.cpp's names, and llama.cpp goes by it."""

import pytest

from brewslm.models.gguf_model import WITH_IMPORTANCE, quantise
from brewslm.models.gguf_writer import tensor_table, write_gguf
from brewslm.models.importance import importance
from brewslm.models.loading import load_model

IDS = [[5, 9, 14, 200, 3], [7, 7, 30]]


@pytest.fixture(scope="module")
def f16(tiny_model, tmp_path_factory):
    file = tmp_path_factory.mktemp("f16") / "model.gguf"
    write_gguf(tiny_model, file, name="tiny", end_token=2)
    return file


@pytest.fixture(scope="module")
def found(tiny_model):
    return importance(load_model(tiny_model, precision="fp32"), IDS)


def test_it_is_the_mean_squared_input_of_each_column(found, tiny_model):
    import torch

    model = load_model(tiny_model, precision="fp32")
    with torch.inference_mode():
        hidden = model.model.layers[0].input_layernorm(model.model.embed_tokens(torch.tensor([*IDS[0], *IDS[1]])))
    assert found["blk.0.attn_q.weight"] == pytest.approx(hidden.square().mean(dim=0).numpy(), rel=1e-5)
    assert (found["blk.0.attn_q.weight"] == found["blk.0.attn_v.weight"]).all()


def test_every_matrix_of_the_file_has_one_of_its_own_width(found, f16):
    matrices = {name: one["shape"][0] for name, one in tensor_table(f16).items() if len(one["shape"]) == 2}
    assert {name: values.size for name, values in found.items()} == matrices


@pytest.mark.parametrize("variant", WITH_IMPORTANCE)
def test_a_column_that_matters_more_is_rounded_less(found, f16, tmp_path, variant):
    import gguf
    import numpy as np

    leaning = {name: np.ones_like(values) for name, values in found.items()}
    for values in leaning.values():
        values[::16] = 10_000.0

    def error(file):
        loss = 0.0
        whole = {one.name: gguf.quants.dequantize(one.data, one.tensor_type) for one in gguf.GGUFReader(f16).tensors}
        for one in gguf.GGUFReader(file).tensors:
            if len(one.shape) == 2 and one.tensor_type.name not in ("F16", "F32", "Q8_0"):
                columns = (gguf.quants.dequantize(one.data, one.tensor_type) - whole[one.name]).reshape(-1, int(one.shape[0]))
                loss += float(np.square(columns[:, ::16]).sum())
        return loss

    assert quantise(f16, tmp_path / "plain.gguf", variant) and quantise(f16, tmp_path / "leaning.gguf", variant, leaning)
    before, after = error(tmp_path / "plain.gguf"), error(tmp_path / "leaning.gguf")
    assert after < 0.9 * before or before == after == 0.0  # blocks of 256 don't divide a row of 64: Q6_K falls back to Q8_0
