"""A folder that is no model for us is named by what is wrong with it, and no weight is read for it."""

import json
import shutil

import pytest

from brewslm.errors import StageError
from brewslm.models.catalogue import base_model


@pytest.fixture
def copy(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "copy")


def refused(folder) -> tuple[str, str]:
    with pytest.raises(StageError) as caught:
        base_model(f"path:{folder}")
    return caught.value.reason.code, caught.value.cause


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({"architectures": ["VitForImageClassification"], "model_type": "vit"}, "is of none of the architectures"),
        ({"architectures": ["Gemma3ForConditionalGeneration"], "audio_config": {}}, "is of none of the architectures"),
        ({"architectures": ["OwnForCausalLM"], "model_type": "own", "auto_map": {"AutoModel": "own.Own"}}, "code of its own"),
    ],
)
def test_a_model_of_another_kind_is_named(copy, config, cause):
    (copy / "config.json").write_text(json.dumps(config))
    code, said = refused(copy)
    assert code == "base_model_wrong_kind" and cause in said


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "config.json can't be read"),
        ("[]", "holds no object"),
        ("{}", "names no architecture"),
        ('{"architectures": "x"}', "names no architecture"),
        ('{"architectures": ["LlamaForCausalLM"]}', "has no 'hidden_size'"),
    ],
)
def test_a_config_that_says_nothing_is_named(copy, text, cause):
    (copy / "config.json").write_text(text)
    code, said = refused(copy)
    assert code == "base_model_incomplete" and cause in said


def test_weights_that_are_cut_off_are_named_with_their_sizes(copy):
    weights = copy / "model.safetensors"
    whole = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[:-10])
    assert refused(copy) == ("base_model_incomplete", f"model.safetensors has {whole - 10:,} bytes of {whole:,}")


@pytest.mark.parametrize("content", [b"", b"\x01", b"\x80\x04." * 20, b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_file_that_only_has_the_name_of_weights_is_named(copy, content):
    (copy / "model.safetensors").write_bytes(content)
    code, said = refused(copy)
    assert code == "base_model_incomplete" and "no header of safetensors" in said


def test_a_model_without_its_tokenizer_is_named(copy):
    (copy / "tokenizer.json").unlink()
    code, said = refused(copy)
    assert code == "base_model_incomplete" and said.startswith("it has no tokenizer")
