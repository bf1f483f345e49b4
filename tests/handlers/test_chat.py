"""The chat handler on talks."""

import pytest

from brewslm.handlers import handler_for
from brewslm.models.templates import prompt_ids
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.rows.reasons import RowReason
from tests.handlers.scripted import Scripted
from tests.stages.prepare.preparing import prepare, rejected
from tests.synthetic import add_rows, own_words


def talk(*contents):
    roles = ["user", "assistant"] * len(contents)
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


def row(*contents, row_id="r1"):
    messages = talk(*contents)
    last = max(place for place, message in enumerate(messages) if message["role"] == "assistant")
    asked = " ".join(contents[:last])
    return PreparedRow(row_id=row_id, payload={"messages": messages, "prompt": asked, "reference": messages[last]["content"]})


@pytest.fixture
def handler():
    return handler_for("chat_sft", OutputSchema(scoring_mode="text"))


def test_the_last_reply_is_asked_for_with_all_that_came_before_it(handler):
    prompt = handler.prompt(row("hi", "hello", "where is my order", "on its way").payload)
    assert list(prompt.messages) == talk("hi", "hello", "where is my order")
    assert prompt.plain == "user: hi\nassistant: hello\nuser: where is my order\nassistant:"


def test_what_a_user_says_after_the_last_reply_asks_for_nothing(handler):
    assert list(handler.prompt(row("hi", "hello", "bye").payload).messages) == talk("hi")


def test_a_live_talk_is_gone_on_with_where_it_stands(handler, tiny_base):
    from brewslm.models.loading import load_tokenizer

    trained = handler.prompt(row("hi", "hello", "bye", "see you").payload)
    live = handler.prompt({"messages": talk("hi", "hello", "bye")})
    tokenizer = load_tokenizer(tiny_base)
    assert prompt_ids(tokenizer, live) == prompt_ids(tokenizer, trained)
    assert handler.prompt({"prompt": "hi"}).messages == ({"role": "user", "content": "hi"},)
    assert handler.question({"messages": talk("hi", "hello", "bye")}) == "bye"
    assert handler.question({"messages": [{"role": "user"}]}) == handler.question({}) == ""


def test_replies_are_compared_by_words_by_order_and_by_letters(handler):
    rows = [row("a", "the order is on its way"), row("b", "ask us for a refund", row_id="r2")]
    said = {"a": "the order is on its way", "b": "refund"}
    scores = handler.score(rows, handler.predict(rows, Scripted(said.__getitem__)))
    assert set(scores.metrics) == handler.metric_ids
    assert scores.metrics["f1"].value == pytest.approx((1 + 2 * (1 / 4) / (1 + 1 / 4)) / 2)
    assert scores.metrics["rouge_l"].value == pytest.approx((1 + 2 * (1 / 5) / (1 + 1 / 5)) / 2)
    assert 0.4 < scores.metrics["chrf"].value < 0.9
    assert scores.metrics["perplexity"].value > 1
    assert scores.row_correct == [True, False]


def test_the_nearest_talk_and_the_users_own_words_are_baselines(handler):
    train = [row("my refund", "ask us"), row("my order", "on its way", row_id="r2")]
    said = handler.baselines(train, [row("hi", "hello", "the order please", "?")])
    assert {name: answers[0].output for name, answers in said.items()} == {
        "nearest_talk": "on its way",
        "copy": "the order please",
    }


def test_what_is_no_talk_is_refused_with_its_reason(handler):
    good = row("hi", "hello").payload
    assert handler.check(good) is None
    for payload, reason in (
        ({**good, "messages": None}, RowReason.MISSING_MESSAGES),
        ({**good, "messages": [{"role": "tool", "content": "x"}]}, RowReason.INVALID_MESSAGES_SHAPE),
        ({**good, "messages": talk("hi")}, RowReason.MISSING_ASSISTANT_REPLY),
        ({**good, "messages": talk("hi", "hello")[1:]}, RowReason.MISSING_PROMPT),
        ({**good, "reference": "another reply"}, RowReason.INVALID_MESSAGES_SHAPE),
    ):
        assert handler.check(payload) == reason


def test_prepare_tells_of_a_talk_that_can_not_be_learned(project):
    talks = [row(own_words(n), "good").payload for n in range(20)]
    odd = {**talks[0], "messages": talk("hi"), "prompt": own_words(99)}
    add_rows(project, [*talks, odd])
    assert prepare(project)["ledger"]["rejected"] == {"missing_assistant_reply": 1}
    assert set(rejected(project).values()) == {"missing_assistant_reply"}


def test_prepare_tells_of_talks_that_the_base_models_template_refuses_or_rewrites(tmp_path):
    from brewslm.pipeline.execute import call
    from brewslm.stages.projects import CreateRequest
    from tests.chat_formats import GEMMA, write_format
    from tests.tiny import make_tiny_base

    base = make_tiny_base(tmp_path / "base")
    write_format(base, GEMMA)
    forgets = GEMMA.template.replace("m['content'] | trim", "(m['content'] if loop.last else m['content'][:2]) | trim")
    assert forgets != GEMMA.template
    (base / "chat_template.jinja").write_text(forgets)
    project = call("test", CreateRequest(name="talks", base_model=f"path:{base}")).project
    short = [row(own_words(n), "good").payload for n in range(10)]
    rewritten = row("my order", "on its way", "why", "good").payload | {"prompt": "rewritten"}
    twice = {"messages": [talk("a")[0], *talk("b", "good")], "prompt": "twice", "reference": "good"}
    add_rows(project, [*short, rewritten, twice])
    assert prepare(project)["ledger"]["rejected"] == {"turns_rewritten": 1, "template_refuses": 1}
