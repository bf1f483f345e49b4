"""Which rows the base is shown."""

import pytest

from brewslm.handlers import handler_for
from brewslm.models.catalogue import base_model
from brewslm.rows.manifest import OutputSchema, PreparedRow
from brewslm.stages.evaluate.shots import MOST_SHOTS, shots_for


def rows(labels, words=1):
    return [
        PreparedRow(row_id=f"{place:02}", payload={"text": "good " * words + str(place), "label": label})
        for place, label in enumerate(labels)
    ]


def handler(labels):
    return handler_for("classification", OutputSchema(scoring_mode="label", labels=sorted(set(labels))))


@pytest.fixture
def base(tiny_base):
    return base_model(f"path:{tiny_base}")


def chosen(base, labels, asked=None, **fields):
    train = rows(labels)
    found = shots_for(handler(labels), base.model_copy(update=fields), "chat", train, asked or rows(labels[:1]))
    return [(row.row_id, row.payload["label"]) for row in found]


def test_each_class_is_shown_before_any_is_shown_twice(base):
    assert chosen(base, ["b"] * 5 + ["a"] * 2) == [("05", "a"), ("00", "b"), ("06", "a"), ("01", "b")]
    many = [str(n) for n in range(12)]
    assert [label for _, label in chosen(base, many)] == sorted(many)[:MOST_SHOTS]


def test_the_order_of_the_file_says_nothing(base):
    train = rows(["a", "b"] * 4)
    straight, turned = (shots_for(handler("ab"), base, "chat", one, train[:1]) for one in (train, train[::-1]))
    assert straight == turned


def test_as_many_as_fit_before_the_longest_row_are_shown(base):
    assert len(chosen(base, ["a", "b"] * 4, context_length=100)) < 4
    assert chosen(base, ["a", "b"] * 4, asked=rows(["a"], words=400)) == []


def test_where_no_examples_are_taken_there_are_none(base):
    assert chosen(base, ["a", "b"], architecture="encoder") == []
    texts = handler_for("language_modeling", OutputSchema(scoring_mode="likelihood"))
    assert shots_for(texts, base, "chat", rows("ab"), rows("ab")) == []
    pairs = handler_for("preference", OutputSchema(scoring_mode="preference"))
    assert shots_for(pairs, base, "chat", rows("ab"), rows("ab")) == []
