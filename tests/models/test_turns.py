"""Which tokens of a talk are learned, in the formats of five families."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.errors import StageError
from brewslm.models.loading import load_tokenizer
from brewslm.models.prompt import Prompt
from brewslm.models.template_guard import JOINER
from brewslm.models.templates import end_token_id, prompt_ids
from brewslm.models.turns import TurnsRewritten, talk_ids
from tests.chat_formats import CHATML, FORMATS, GEMMA, TALK, write_format


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    """One for each format."""
    folder = tmp_path_factory.mktemp("formats")
    for form in FORMATS:
        write_format(folder / form.name, form)
    return {form.name: load_tokenizer(folder / form.name) for form in FORMATS}


@pytest.fixture(params=FORMATS, ids=lambda form: form.name)
def form(request):
    return request.param


@pytest.fixture
def tokenizer(form, tokenizers):
    return tokenizers[form.name]


def talk(*contents: str) -> list[dict[str, str]]:
    """A system text, then user and assistant in turns; the last is a user."""
    roles = ["system", *["user", "assistant"] * len(contents)]
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def learned(tokenizer, ids, ranges) -> list[str]:
    return [tokenizer.decode(ids[first:last]).replace(JOINER, "") for first, last in ranges]


def test_each_reply_and_its_stop_token_are_learned_and_nothing_else(form, tokenizer):
    ids, ranges = talk_ids(tokenizer, TALK, "the plot")
    assert [text.strip() for text in learned(tokenizer, ids, ranges)] == ["good" + form.end, "the plot" + form.end]
    others = [token for at, token in enumerate(ids) if not any(first <= at < last for first, last in ranges)]
    assert "good" not in tokenizer.decode(others) and "the plot" not in tokenizer.decode(others)
    assert "why" in tokenizer.decode(others) and "be short" in tokenizer.decode(others)


def test_the_ids_are_those_that_the_model_is_asked_with(form, tokenizer):
    ids, ranges = talk_ids(tokenizer, TALK, "the plot")
    asked = prompt_ids(tokenizer, Prompt(tuple(TALK), plain=""))
    assert ids[: len(asked)] == asked and ranges[-1] == (len(asked), len(ids))
    first = prompt_ids(tokenizer, Prompt(tuple(TALK[:2]), plain=""))
    assert ids[: ranges[0][0]] == first, "an earlier reply comes after what the model was given then"


WORDS = st.text(st.sampled_from("ab é<|>\n"), min_size=1, max_size=8).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(words=st.lists(WORDS, min_size=4, max_size=8).filter(lambda words: len(words) % 2 == 0), reply=WORDS)
def test_whatever_is_said_each_turn_of_the_assistant_is_learned_whole(tokenizers, words, reply):
    messages = talk(*words)
    for form in FORMATS:
        tokenizer = tokenizers[form.name]
        ids, ranges = talk_ids(tokenizer, messages, reply)
        replies = [message["content"] for message in messages if message["role"] == "assistant"]
        said = learned(tokenizer, ids, ranges)
        assert [text.strip() for text in said[-1:]] == [(reply + form.end).strip()]
        for wanted, text in zip(replies, said, strict=False):
            assert text.endswith(form.end)
            # A token that begins in the template and ends in the reply is not learned: it may hold a leading line break.
            assert text.removesuffix(form.end).strip() == wanted.strip(), form.name
        assert all(ids[last - 1] == end_token_id(tokenizer) for _, last in ranges)


def test_a_greeting_before_any_question_is_not_learned(tokenizers):
    tokenizer = tokenizers[CHATML.name]
    messages = [{"role": "assistant", "content": "hello"}, {"role": "user", "content": "why"}]
    ids, ranges = talk_ids(tokenizer, messages, "good")
    assert learned(tokenizer, ids, ranges) == ["good<|im_end|>"]


FORGETS = CHATML.template.replace("m.content", "(m.content if loop.last else m.content[:2])")
THINKS = CHATML.template.replace("<|im_start|>assistant\\n", "<|im_start|>assistant\\n<think>")


@pytest.mark.parametrize(
    "template", [FORGETS, THINKS], ids=["it shortens what was said", "it opens a thought that it drops later"]
)
def test_a_template_that_rewrites_earlier_turns_is_no_silent_wrong_mask(tmp_path, template):
    write_format(tmp_path, CHATML)
    (tmp_path / "chat_template.jinja").write_text(template)
    with pytest.raises(TurnsRewritten, match="message 3"):
        talk_ids(load_tokenizer(tmp_path), TALK, "the plot")


def test_an_order_that_the_template_refuses_is_said(tokenizers):
    twice = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    with pytest.raises(StageError, match="take turns"):
        talk_ids(tokenizers[GEMMA.name], twice, "c")
