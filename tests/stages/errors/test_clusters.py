"""Error clusters: each wrong row in one, each name true of what it names."""

import random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brewslm.stages.evaluate.errors import ErrorAnalysis, analyse
from brewslm.stages.evaluate.errors.facts import facts_of
from tests.stages.errors.made import LABELS, SOURCES, evaluated, labels_handler

WORDS = ["the", "plot", "acting", "was", "slow", "and", "story", "of", "music", "it", "is", "long"]
HANDLER = labels_handler()


@st.composite
def classified(draw):
    """Up to 70 rows of three labels, with words, columns and answers that go wrong more often where they like."""
    count = draw(st.integers(1, 70))
    chance = random.Random(draw(st.integers(0, 10**6)))
    wrong_at, spoiled = draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])), draw(st.sampled_from(["not", "slow", "zzz"]))
    payloads, outputs = [], []
    for _ in range(count):
        words = chance.choices([*WORDS, "not"], k=chance.randint(1, 9))
        label = chance.choice(LABELS)
        payloads.append({"text": " ".join(words), "label": label, "tier": chance.choice(["gold", "free"])})
        wrong = chance.random() < (0.9 if spoiled in words else wrong_at)
        outputs.append(chance.choice(LABELS) if wrong else label)
    return evaluated(HANDLER, payloads, outputs)


def analysed(rows, lines) -> ErrorAnalysis:
    return analyse(HANDLER, rows, lines, SOURCES, reader="tf-idf")


@settings(max_examples=60, deadline=None)
@given(classified())
def test_each_wrong_row_is_in_one_cluster_and_no_right_one(both):
    rows, lines = both
    found = analysed(rows, lines)
    wrong = [line["row_id"] for line in lines if not line["correct"]]
    assert sorted(row for cluster in found.clusters for row in cluster.row_ids) == sorted(wrong)
    assert (found.n, found.wrong) == (len(rows), len(wrong))
    assert [cluster.rows for cluster in found.clusters] == [len(cluster.row_ids) for cluster in found.clusters]
    assert sum(cluster.share for cluster in found.clusters) == pytest.approx(1 if wrong else 0)


@settings(max_examples=60, deadline=None)
@given(classified())
def test_a_name_is_true_of_its_rows_and_its_rates_are_those_that_one_counts(both):
    rows, lines = both
    facts = {row.row_id: row for row in facts_of(HANDLER, rows, lines, SOURCES)}
    right = [row for row in facts.values() if row.correct]

    def rate(conditions, among):
        return sum(all(one.holds(row) for one in conditions) for row in among) / max(1, len(among))

    for cluster in analysed(rows, lines).clusters:
        own = [facts[row] for row in cluster.row_ids]
        assert cluster.holds == pytest.approx(rate(cluster.conditions, own)) and cluster.holds >= 0.8
        assert cluster.among_right == pytest.approx(rate(cluster.conditions, right))
        assert rate([cluster.outcome], own) == 1
        assert all(one.said in cluster.name for one in cluster.conditions)
        assert "{" not in cluster.name + cluster.next_step
        if trait := cluster.trait:
            alike = [row for row in right if row.stratum in {one.stratum for one in own}]
            assert (trait.holds, trait.among_right) == pytest.approx(
                (rate([trait.condition], own), rate([trait.condition], right))
            )
            assert (trait.compared_with, trait.among_compared) == pytest.approx((len(alike), rate([trait.condition], alike)))
            assert trait.among_compared <= 0.5 and trait.p_value < 0.05
        assert {one.row_id for one in cluster.exemplars} <= set(cluster.row_ids)


@settings(max_examples=15, deadline=None)
@given(classified())
def test_the_same_rows_give_the_same_bytes_and_read_back_as_they_were(both):
    first, second = (orjson.dumps(analysed(*both).model_dump(mode="json")) for _ in range(2))
    assert first == second
    assert ErrorAnalysis.model_validate(orjson.loads(first)) == analysed(*both)


def planted(count=300, chance=0.0, **spoiled):
    """Rows of which those with a trait go wrong, and of the others a share by chance."""
    draws = random.Random(7)
    payloads, outputs = [], []
    for place in range(count):
        words, label = draws.choices(WORDS, k=draws.randint(4, 20)), LABELS[place % 3]
        tier = draws.choice(["gold", "free", "pro"])
        if spoiled.get("word") and label == "negative" and draws.random() < 0.3:
            words.insert(2, spoiled["word"])
        bad = bool(spoiled.get("word")) and spoiled["word"] in words and label == "negative"
        bad = bad or (label == "neutral" and tier == spoiled.get("tier")) or draws.random() < chance
        bad = bad or (label == "neutral" and len(words) > spoiled.get("longer", 99))
        payloads.append({"text": " ".join(words), "label": label, "tier": tier})
        outputs.append(LABELS[(place + 2) % 3] if bad else label)
    return evaluated(HANDLER, payloads, outputs)


@pytest.mark.parametrize(
    ("spoiled", "name"),
    [
        ({"word": "not"}, 'expected negative, predicted positive; contains "not"'),
        ({"tier": "gold"}, "expected neutral, predicted negative; tier = gold"),
        ({"longer": 16}, "expected neutral, predicted negative; longer than 16 words"),
    ],
)
def test_a_planted_trait_is_found_and_named(spoiled, name):
    assert analysed(*planted(chance=0.03, **spoiled)).clusters[0].name == name


def test_rows_without_the_trait_are_parted_from_those_with_it_unless_nearly_all_have_it():
    many, few = (analysed(*planted(chance=chance, word="not")) for chance in (0.3, 0.03))
    pair = "expected negative, predicted positive"
    parted = {cluster.name: cluster.holds for cluster in many.clusters if cluster.name.startswith(pair)}
    assert parted == {f'{pair}; contains "not"': 1, f"{pair}; others": 1}
    (whole,) = (cluster for cluster in few.clusters if cluster.name.startswith(pair))
    assert 0.8 <= whole.holds < 1 and whole.trait.said == 'contains "not"'


def test_a_source_whose_rows_go_wrong_is_named():
    rows, lines = planted()
    lines = [
        line
        if row.row_id.startswith("rb") or row.payload["label"] != "neutral"
        else line | {"output": "positive", "correct": False}
        for row, line in zip(rows, lines, strict=True)
    ]
    (cluster,) = analysed(rows, lines).clusters
    assert cluster.name == "expected neutral, predicted positive; source = a.csv"
    assert (cluster.trait.holds, cluster.trait.among_compared, cluster.sort) == (1, 0, "expecting neutral")


def test_chance_gets_no_name():
    """Wrong rows drawn by lot have words in common too, which must not be taken for a reason."""
    named = 0
    for seed in range(20):
        draws = random.Random(seed)
        payloads = [
            {"text": " ".join(draws.choices([*WORDS, *map(str, range(60))], k=12)), "label": draws.choice(LABELS[:2])}
            for _ in range(150)
        ]
        outputs = [one["label"] if draws.random() > 0.15 else LABELS[1 - LABELS.index(one["label"])] for one in payloads]
        found = analysed(*evaluated(HANDLER, payloads, outputs))
        named += any(cluster.trait for cluster in found.clusters)
    assert named <= 3  # 0.05 of 20 is 1; more than 3 have a chance of 1.6 %


def test_pairs_of_a_row_or_two_go_together_by_the_label_that_they_share_and_else_without_a_name():
    handler = labels_handler()
    handler.schema = handler.schema.model_copy(update={"labels": [f"l{n}" for n in range(30)]})
    pairs = [("l1", f"l{n}") for n in range(2, 8)] + [(f"l{n}", f"l{n + 1}") for n in range(10, 22, 2)]
    payloads = [{"text": f"row {n}", "label": wanted} for n, (wanted, _) in enumerate(pairs)] + [{"text": "x", "label": "l0"}] * 9
    rows, lines = evaluated(handler, payloads, [said for _, said in pairs] + ["l0"] * 9)
    found = analyse(handler, rows, lines, {}, reader="tf-idf")
    assert {cluster.name: cluster.rows for cluster in found.clusters} == {
        "expected l1, predicted another label": 6,
        "no common trait found (expected one label, predicted another)": 6,
    }
    assert found.note.startswith("9 rows are wholly right")


def test_an_answer_that_was_cut_off_is_called_so():
    from brewslm.handlers import handler_for
    from brewslm.rows.manifest import OutputSchema

    handler = handler_for("qa", OutputSchema(scoring_mode="text"))
    payloads = [{"question": f"question {n}?", "answer": "forty two"} for n in range(6)]
    rows, lines = evaluated(handler, payloads, ["forty"] * 3 + ["forty two"] * 3, stop=["limit"] * 2 + ["end"] * 3 + ["limit"])
    first, second = analyse(handler, rows, lines, {}).clusters
    assert (first.name, first.rows) == ("the answer was cut off at its limit", 2)
    assert first.among_right == pytest.approx(1 / 3)  # of the right rows, one was cut off too
    assert (second.name, second.rows) == ("a part of the right answer", 1)


def test_texts_without_a_right_answer_have_no_errors():
    from brewslm.handlers import handler_for
    from brewslm.rows.manifest import OutputSchema, PreparedRow

    handler = handler_for("language_modeling", OutputSchema(scoring_mode="likelihood"))
    rows = [PreparedRow(row_id="r-1", payload={"text": "a"})]
    found = analyse(handler, rows, [{"row_id": "r-1", "output": 1.0, "correct": False}], {})
    assert (found.clusters, found.wrong, found.note) == ([], 0, "no row of this task is right or wrong")


def test_rows_that_share_no_more_than_their_meaning_are_kept_apart_and_not_given_a_name():
    from brewslm.handlers import handler_for
    from brewslm.rows.manifest import OutputSchema

    handler = handler_for("qa", OutputSchema(scoring_mode="text"))
    asked = [f"refund the order parcel number {n}" for n in range(8)] + [f"reset a login password for {n}" for n in range(8)]
    payloads = [{"question": one, "answer": f"so{n}"} for n, one in enumerate(asked * 3)]
    rows, lines = evaluated(handler, payloads, ["z"] * 16 + [one["answer"] for one in payloads[16:]])
    found = analyse(handler, rows, lines, {}, reader="tf-idf")
    assert [cluster.rows for cluster in found.clusters] == [8, 8] and found.reader == "tf-idf"
    assert {cluster.name for cluster in found.clusters} == {"no common trait found (not one word of the right answer)"}
    assert {cluster.by for cluster in found.clusters} == {"meaning"}
