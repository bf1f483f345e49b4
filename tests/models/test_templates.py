"""The same ids in training and serving, and an end mark that is learned."""

import pytest

from brewslm.models.loading import load_tokenizer
from brewslm.models.prompt import Prompt
from brewslm.models.templates import end_token_id, example_ids, pad_left, prompt_ids, prompt_text

ASKED = Prompt(({"role": "system", "content": "x"}, {"role": "user", "content": "a film"}), plain="a film\n\nLabel:")


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def test_an_example_is_the_prompt_then_the_answer_then_the_end_mark(tokenizer):
    ids, prompt_length = example_ids(tokenizer, ASKED, "good")
    assert ids[:prompt_length] == prompt_ids(tokenizer, ASKED)
    assert tokenizer.decode(ids[prompt_length:]) == "good<|im_end|>"


def test_the_end_mark_is_supervised_although_it_is_also_the_pad_token(tokenizer):
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    ids, prompt_length = example_ids(tokenizer, ASKED, "good")
    assert ids[-1] == end_token_id(tokenizer)
    assert len(ids) - prompt_length >= 2


def test_the_end_mark_is_what_the_template_writes_after_an_answer(tiny_model):
    other = load_tokenizer(tiny_model)
    other.chat_template = "{% for m in messages %}{{ m['content'] + '<|endoftext|>' }}{% endfor %}"
    assert end_token_id(other) == other.convert_tokens_to_ids("<|endoftext|>")


def test_without_a_template_the_end_mark_is_the_tokenizers_eos(tiny_model):
    other = load_tokenizer(tiny_model)
    other.chat_template = None
    assert end_token_id(other) == other.eos_token_id


def test_prompt_ids_are_those_of_the_text_that_a_server_is_sent(tokenizer):
    text = prompt_text(tokenizer, ASKED)
    assert text.endswith("<|im_start|>assistant\n")
    assert prompt_ids(tokenizer, ASKED) == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert prompt_text(tokenizer, ASKED, "plain") == "a film\n\nLabel:"


def test_padding_on_the_left_keeps_the_last_token_real():
    assert pad_left([[1], [2, 3]], 9) == ([[9, 1], [2, 3]], [[0, 1], [1, 1]])
