"""The split: no row in two splits, none moves when others are added, groups stay together, the latest are held out."""

import tempfile
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.rows import row_id
from brewslm.rows.splitting import CODES, Sizes, SplitPolicy, bounds, draw, first_of, text_key
from brewslm.store.files import project_folder, write_atomic
from tests.stages.prepare.preparing import data, failure, prepare, rejected, sides
from tests.synthetic import add_rows, own_words, reviews

LABELS = st.lists(st.sampled_from("abc"), min_size=2, max_size=300)


def split(labels, held_out, dev, seed=1):
    names = sorted(set(labels))
    draws = np.array([draw(seed, f"row {n}") for n in range(len(labels))], np.int64)
    strata = np.array([names.index(label) for label in labels])
    return SplitPolicy(
        seed=seed, asked=Sizes(eval_rows=held_out, dev_rows=dev), group_by="content",
        strata=bounds(draws, strata, names, held_out, dev),
    ), draws, strata, names  # fmt: skip


@given(LABELS, st.floats(0, 0.5), st.floats(0, 0.4))
def test_each_split_has_the_rows_that_were_asked_for_and_each_label_its_share(labels, held_share, dev_share):
    held_out, dev = round(len(labels) * held_share), round(len(labels) * dev_share)
    policy, draws, strata, names = split(labels, held_out, dev)
    places = policy.place(draws, strata, names)
    assert [(places == code).sum() for code in (CODES["eval"], CODES["dev"])] == [held_out, dev]
    for place in range(len(names)):
        mine = places[strata == place]
        assert abs((mine == CODES["eval"]).sum() - held_out * len(mine) / len(labels)) <= 1


@given(LABELS, LABELS, st.integers(0, 2**31))
def test_rows_that_are_added_move_none(labels, more, seed):
    policy, draws, strata, names = split(labels, len(labels) // 4, len(labels) // 10, seed)
    before = policy.place(draws, strata, names)
    every = [*names, *(set(more) - set(names))]
    draws = np.concatenate([draws, [draw(seed, f"another {n}") for n in range(len(more))]])
    strata = np.concatenate([strata, [every.index(label) for label in more]])
    assert (policy.place(draws, strata, every)[: len(labels)] == before).all()


@given(LABELS, st.integers(1, 300))
def test_a_limit_takes_each_label_in_its_share(labels, wanted):
    _, draws, strata, names = split(labels, 0, 0)
    taken = first_of(draws, strata, wanted)
    assert taken.sum() == min(wanted, len(labels))
    for place in range(len(names)):
        assert abs(taken[strata == place].sum() - taken.sum() * (strata == place).mean()) <= 1


def test_texts_that_differ_in_case_spaces_and_compatible_characters_are_one():
    assert text_key("Ａ lovely\u00a0 Film\n") == text_key("a LOVELY film") != text_key("a lovely films")


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["a", "b"])), min_size=30, max_size=120, unique_by=lambda one: one[0])
)
def test_preparing_again_with_more_rows_moves_none_and_the_books_close(pairs):
    """From first rows to all of them: whatever was in a split is in it again, or was dropped, and never in another."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        from brewslm.pipeline.execute import call
        from brewslm.stages.projects import CreateRequest
        from brewslm.store.database import forget_connections

        patch.setenv("BREWSLM_HOME", folder)
        forget_connections()
        project = call("test", CreateRequest(name="p")).project
        texts = [{"text": f"a film of {own_words(number)}", "label": label} for number, label in pairs]
        texts[0]["label"], texts[1]["label"] = "a", "b"
        add_rows(project, texts[:20], source="first")
        first = sides(project, prepare(project))
        add_rows(project, texts[20:], source="second", import_run="import-2")
        result = prepare(project)
        again = sides(project, result)
        assert result["continued"] == 1 and len(again) == len(texts)
        assert {one: again[one] for one in first} == first
        ledger = result["ledger"]
        assert ledger["rows_in"] == ledger["rows_out"] + sum(ledger["rejected"].values()) == len(texts)
        forget_connections()


def test_the_split_goes_on_only_where_the_same_was_asked_for(project):
    add_rows(project, reviews(100))
    assert prepare(project)["continued"] is None
    assert prepare(project)["continued"] == 1
    other = prepare(project, seed=7)
    assert other["continued"] is None and "drawn anew" in other["notes"][0]
    assert prepare(project, seed=7)["continued"] == 3
    assert prepare(project, seed=7, resplit=True)["continued"] is None


def imported(project, tmp_path: Path, rows, **more):
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    request = ImportRequest(
        project=project, locator=f"jsonl:{path}", mapper="label_to_classification", field_map={"text": "text", "label": "label"},
        commit=True, **more,
    )  # fmt: skip
    return import_rows("test", request).run


def visits(count):
    """Each of 20 customers writes several times, on its own day."""
    return [
        {
            "text": f"a {'lovely' if n % 2 else 'dull'} film, {own_words(n)}", "label": "good" if n % 2 else "bad",
            "customer": n % 20, "at": f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}T12:00:00+00:00",
        }
        for n in range(count)
    ]  # fmt: skip


def test_rows_of_one_customer_stay_on_one_side(project, tmp_path):
    imported(project, tmp_path, visits(200))
    result = prepare(project, group_by="customer")
    (source,) = (project_folder(project) / "sources").glob("*.jsonl")
    customers: dict[int, set[str]] = {}
    for one, side in sides(project, result).items():
        customers.setdefault(visits(200)[int(one.rpartition("-")[2]) - 1]["customer"], set()).add(side)
    assert source.stem and len(customers) == 20
    assert all(len(found) == 1 for found in customers.values())
    assert {side for found in customers.values() for side in found} == {"train", "dev", "eval"}
    assert data(project, result).manifest.split.group_by == "customer"


def test_the_latest_rows_are_held_out(project, tmp_path):
    rows = visits(100)
    no_times = {7: "some day", 8: None, 9: "inf", 10: "nan", 11: 1e300}
    for n, value in no_times.items():
        rows[n]["at"] = value
    rows[99]["at"] = 1.9e9  # seconds: 2030
    rows[0]["at"] = "2025-12-31T23:59:59"  # no zone: UTC
    imported(project, tmp_path, rows)
    result = prepare(project, time_by="at")
    place = {int(one.rpartition("-")[2]) - 1: side for one, side in sides(project, result).items()}
    assert [place[n] for n in range(100) if n not in no_times] == ["train"] * 66 + ["dev"] * 10 + ["eval"] * 19
    assert list(rejected(project).values()) == ["no_time"] * 5


def test_a_column_that_a_source_lacks_is_refused_and_nothing_is_written(project, tmp_path):
    imported(project, tmp_path, visits(50))
    error = failure(project, group_by="costumer")
    assert error.reason.code == "column_missing" and "customer" in error.cause
    assert not list((project_folder(project) / "prepared").glob("*"))


def test_gold_rows_are_held_out_and_whatever_equals_them_is_not_trained_on(project, tmp_path):
    rows = visits(60)
    imported(project, tmp_path, rows[:10], gold=True)
    said_again = [{**row, "text": row["text"].upper()} for row in rows[:5]]
    imported(project, tmp_path, [*rows[10:], *said_again])
    result = prepare(project)
    assert result["rows"]["gold"] == 10
    gold = {row.payload["text"] for row in data(project, result).rows("gold")}
    assert gold == {row["text"] for row in rows[:10]}
    assert result["ledger"]["rejected"] == {"duplicate_row": 5}


def test_chunks_of_a_document_stay_together(project):
    chunks = [
        {"row_id": row_id(f"document {d}", n), "document": d, "text": f"{own_words(100 * d + n)} and {own_words(9 * d + n)}"}
        for d in range(30)
        for n in range(1, 6)
    ]
    write_atomic(project_folder(project) / "cleaned" / "chunks.jsonl", b"".join(orjson.dumps(one) + b"\n" for one in chunks))
    result = prepare(project, group_by="document")
    assert result["task_profile"] == "language_modeling" and sum(result["rows"].values()) == 150
    placed = sides(project, result)
    for d in range(30):
        assert len({placed[one["row_id"]] for one in chunks if one["document"] == d}) == 1
