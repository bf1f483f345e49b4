"""Cohen's kappa: that of scikit-learn, with an interval that covers it, and no value where it has none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from brewslm.metrics.kappa import _kappa, cohen_kappa

RATINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=40)


@settings(max_examples=15, deadline=None)
@given(RATINGS)
def test_it_is_that_of_scikit_learn_and_so_is_each_resample(pairs):
    ours, theirs = map(list, zip(*pairs, strict=True))
    found = cohen_kappa(ours, theirs)
    assert (found.n, found.agreed) == (len(pairs), sum(a == b for a, b in pairs))
    if len({*ours, *theirs}) < 2:
        assert found.value is None and found.low is None
        return
    wanted = cohen_kappa_score(ours, theirs)
    codes = [np.array([["abc".index(one) for one in ratings]]) for ratings in (ours, theirs)]
    assert found.value == pytest.approx(wanted) == _kappa(*codes, 3)[0]
    assert -1 <= found.low <= found.high <= 1


def test_its_interval_narrows_with_more_rows():
    few, many = (cohen_kappa("aabb" * n + "ab", "aabb" * n + "ba") for n in (3, 60))
    assert few.low < few.value < few.high and many.high - many.low < (few.high - few.low) / 3


def test_of_no_items_nothing_is_known():
    assert cohen_kappa([], []).model_dump() == {"n": 0, "agreed": 0, "value": None, "low": None, "high": None}
