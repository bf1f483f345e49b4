"""Slices: every part of the rows with its interval, and those that are worse than the rest, however many were looked at."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from brewslm.handlers import handler_for
from brewslm.handlers.base import Prediction
from brewslm.metrics.intervals import wilson
from brewslm.rows.manifest import OutputSchema
from brewslm.rows.slices import RowSlice
from brewslm.stages.evaluate.errors import slice_report
from tests.stages.errors.made import LABELS, SOURCES, evaluated, labels_handler

HANDLER = labels_handler()


def report(handler, payloads, outputs, **more):
    rows, _ = evaluated(handler, payloads, outputs)
    predictions = [Prediction(row_id=row.row_id, output=output) for row, output in zip(rows, outputs, strict=True)]
    scores = handler.score(rows, predictions)
    return rows, scores, slice_report(handler, rows, scores, SOURCES, **more)


def classified(seed, bad, count=200):
    draws = random.Random(seed)
    payloads = [
        {
            "text": " ".join(["word"] * draws.randint(1, 60)), "label": draws.choice(LABELS), "id": f"n{place}",
            "meta": {"tier": draws.choice(["free", "gold"])}, "day": draws.choice([1, 2, 3]),
        }
        for place in range(count)
    ]  # fmt: skip
    outputs = [one["label"] if draws.random() > bad(one) else "other" for one in payloads]
    return payloads, outputs


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.4, 1.0]))
def test_each_slices_figures_are_those_that_one_counts(seed, chance):
    payloads, outputs = classified(seed, lambda _: chance, count=60)
    rows, scores, found = report(HANDLER, payloads, outputs)
    members = {
        "free": [one["meta"]["tier"] == "free" for one in payloads],
        "negative": [one["label"] == "negative" for one in payloads],
        "a.csv": [row.row_id.startswith("ra") for row in rows],
        "11–25 words": [11 <= len(one["text"].split()) <= 25 for one in payloads],
        "2": [one["day"] == 2 for one in payloads],
    }
    by_value = {one.value: one for one in found.slices}
    for value, mask in members.items():
        one = by_value[value]
        right = sum(correct and here for correct, here in zip(scores.row_correct, mask, strict=True))
        rest = sum(scores.row_correct) - right
        n, others = sum(mask), len(rows) - sum(mask)
        assert (one.rows, one.correct.n, one.rest_correct.n) == (n, n, others)
        assert (one.correct.value, one.correct.low, one.correct.high) == pytest.approx((right / n, *wilson(right, n)))
        assert one.p_value == pytest.approx(fisher_exact([[n - right, others - rest], [right, rest]], "greater").pvalue)
        assert one.p_value <= one.p_corrected <= 1
    assert not any(one.field == "id" for one in found.slices)
    assert found.looked_at == len(found.slices)


def test_a_slice_that_is_worse_is_flagged_and_stands_first():
    payloads, outputs = classified(3, lambda one: 0.4 if one["meta"]["tier"] == "gold" else 0.05)
    _, _, found = report(HANDLER, payloads, outputs, declared=[RowSlice(slice_id="gold-2", field="meta.tier", equals="gold")])
    assert [one.said for one in found.slices if one.is_worse] == ["meta.tier = gold"]
    assert not any(one.dimension == "pack" for one in found.slices)  # it has the same rows, which were looked at already
    first = found.slices[0]
    assert first.metric.high < first.rest_metric.value and first.p_corrected < 0.05


def test_chance_flags_few():
    flagged = sum(
        any(one.is_worse for one in report(HANDLER, *classified(seed, lambda _: 0.2, count=120))[2].slices) for seed in range(12)
    )
    assert flagged <= 2  # 0.05 of 12 are 0.6


def test_a_figure_that_is_no_share_is_held_against_rows_drawn_by_lot():
    handler = handler_for("seq2seq", OutputSchema(scoring_mode="text"))
    payloads = [
        {"source_text": f"text {n}", "target_text": f"the words of line {n} here", "task": ["a b", "c d"][n // 20]}
        for n in range(40)
    ]
    outputs = [one["target_text"] if one["task"] == "a b" else "xyzzy" for one in payloads]
    _, _, found = report(handler, payloads, outputs)
    worse = [one for one in found.slices if one.is_worse]
    assert [one.said for one in worse if one.dimension == "column"] == ["task = c d"] and found.metric_id == "chrf"
    assert worse[0].p_value == pytest.approx(1 / 2001) and worse[0].correct.value == 0


def test_of_a_figure_that_should_be_low_the_high_slice_is_worse():
    handler = handler_for("audio_transcript", OutputSchema(scoring_mode="text"))
    audio = {"path": "x.wav", "seconds": 1.0}
    payloads = [{"audio": audio, "transcript": "one two three", "room": ["big", "small"][n // 15]} for n in range(30)]
    outputs = ["one two three" if one["room"] == "small" else "one too free" for one in payloads]
    _, _, found = report(handler, payloads, outputs)
    assert {one.said for one in found.slices if one.is_worse} >= {"room = big"} and found.lower_is_better


def test_slices_of_a_few_rows_are_counted_and_not_judged():
    payloads = [{"text": "a b", "label": "negative", "tier": "rare" if n < 4 else "usual"} for n in range(30)]
    _, _, found = report(HANDLER, payloads, ["other"] * 4 + ["negative"] * 26)
    assert found.too_small == 2 and not any(one.field == "tier" for one in found.slices)
