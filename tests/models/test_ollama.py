"""A Modelfile's template writes what the tokenizer's own does, or is left out."""

import pytest

from brewslm.models.loading import load_tokenizer
from brewslm.models.ollama import go_template, modelfile
from brewslm.models.templates import end_token_id
from tests.chat_formats import CHATML, GEMMA, LLAMA_3, MISTRAL, QWEN, write_format


def assembled(template, messages):
    """What Go's text/template makes of the few words that our templates are of: written here anew, from Go's documentation."""
    begin, _, rest = template.partition("{{ range .Messages }}")
    turn, _, answer = rest.rpartition("{{ end }}")
    branches = {}
    for branch in turn.removesuffix("{{ end }}").split("{{ else if eq .Role ")[0:]:
        said = branch.removeprefix("{{ if eq .Role ")
        role, _, text = said.partition(" }}")
        branches[role.strip('"')] = text
    return begin + "".join(branches[one["role"]].replace("{{ .Content }}", one["content"]) for one in messages) + answer


TALK = [
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "Is it good?"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "And this?"},
]


@pytest.mark.parametrize(("form", "said"), [(CHATML, ""), (QWEN, "You are of help.")], ids=["chatml", "qwen"])
def test_a_format_whose_turns_end_alike_is_translated(form, said, tmp_path):
    write_format(tmp_path / "model", form)
    tokenizer = load_tokenizer(tmp_path / "model")
    template, system = go_template(tokenizer, tokenizer.decode([end_token_id(tokenizer)]))
    assert system == said
    alone = TALK[1:2]  # Ollama puts the Modelfile's SYSTEM before a talk that has none
    for asked, whole in ((TALK, TALK), (alone, [{"role": "system", "content": system}, *alone] if system else alone)):
        assert assembled(template, whole) == tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)


@pytest.mark.parametrize("form", [GEMMA, MISTRAL, LLAMA_3], ids=["gemma", "mistral", "llama-3, which writes the date"])
def test_a_format_that_can_not_be_translated_is_left_to_the_files_own_template(form, tmp_path):
    write_format(tmp_path / "model", form)
    tokenizer = load_tokenizer(tmp_path / "model")
    text = modelfile(tokenizer, end_token_id(tokenizer), "model-q8_0.gguf", 512, "")
    assert "TEMPLATE" not in text and "takes that of the GGUF file" in text


def test_a_modelfile_says_that_it_was_not_run(tiny_model):
    tokenizer = load_tokenizer(tiny_model)
    text = modelfile(tokenizer, 2, "model-q8_0.gguf", 512, "Apache-2.0")
    assert text.startswith("# Written by BrewSLM. Not run here")
    for line in ("FROM ./model-q8_0.gguf", 'PARAMETER stop "<|im_end|>"', "PARAMETER num_ctx 512", 'LICENSE """Apache-2.0"""'):
        assert line in text.splitlines()
