"""The data sets of the text handlers: drawn the same each time, taken by their mappers, and apart where they are held out."""

import importlib
from collections import Counter

import orjson
import pytest

from bench import handlers_chat, handlers_forms, handlers_rag, handlers_safety, handlers_seq2seq
from brewslm.handlers import HANDLERS
from brewslm.mappers import mapper_of
from brewslm.mappers.base import Refused
from brewslm.rows.manifest import OutputSchema

SETS = (handlers_chat, handlers_forms, handlers_rag, handlers_safety, handlers_seq2seq)


@pytest.fixture(params=SETS, ids=lambda made: made.__name__)
def made(request):
    return importlib.import_module(request.param.__name__)


def rows_of(made, folder):
    return [orjson.loads(line) for line in made.rows(folder).read_bytes().splitlines()]


def test_rows_are_the_same_each_time_and_all_taken(made, tmp_path):
    rows = rows_of(made, tmp_path)
    assert rows_of(made, tmp_path) == rows and len(rows) >= 800
    mapper = mapper_of(made.MAPPER, made.MAPPED)
    payloads = [mapper.map(row) for row in rows]
    assert not [one for one in payloads if isinstance(one, Refused)]
    mode = "field_match" if made is handlers_forms else None
    handler = next(one for one in HANDLERS[mapper.task_profile] if mode in (None, one.scoring_mode))
    checked = handler(OutputSchema(scoring_mode=handler.scoring_mode))
    assert Counter(checked.check(payload) for payload in payloads) == {None: len(rows)}


def test_what_is_held_out_by_is_a_column_with_many_values(made, tmp_path):
    column = made.PREPARE[made.PREPARE.index("--group-by") + 1]
    groups = Counter(row[column] for row in rows_of(made, tmp_path))
    assert len(groups) >= 10 and max(groups.values()) < sum(groups.values()) / 3


def test_numbers_are_read_as_in_english():
    assert [handlers_seq2seq.cardinal(number) for number in (0, 13, 40, 99, 100, 512)] == [
        "zero", "thirteen", "forty", "ninety-nine", "one hundred", "five hundred and twelve",
    ]  # fmt: skip
    assert [handlers_seq2seq.ordinal(number) for number in (1, 2, 5, 12, 20, 21, 30)] == [
        "first", "second", "fifth", "twelfth", "twentieth", "twenty-first", "thirtieth",
    ]  # fmt: skip


def test_every_value_of_an_invoice_stands_in_its_text(tmp_path):
    for row in rows_of(handlers_forms, tmp_path):
        assert all(row[field] in row["text"] for field in handlers_forms.FIELDS if row[field] is not None)
