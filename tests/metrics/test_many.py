import pytest
from hypothesis import given
from hypothesis import strategies as st

from brewslm.metrics.many import holm

CHANCES = st.lists(st.floats(0, 1), max_size=12)


def test_holms_own_steps():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(CHANCES)
def test_it_lies_between_the_value_and_bonferronis_and_keeps_the_order(p_values):
    corrected = holm(p_values)
    for p, q in zip(p_values, corrected, strict=True):
        assert p <= q <= min(1.0, len(p_values) * p) or q == pytest.approx(min(1.0, len(p_values) * p))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[at] for at in order] == sorted(corrected)
