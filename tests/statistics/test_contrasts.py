"""Two samples against each other: the chance to exceed, exact p-values with ties, their correction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mesabench.statistics.contrasts import holm, improvement, rank_sum_test
from mesabench.statistics.intervals import FEWEST

few = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=6)


@given(few, few)
def test_improvement_counts_the_pairs(x: list[float], y: list[float]) -> None:
    by_hand = np.mean([(a > b) + (a == b) / 2 for a in x for b in y])
    one = improvement([(x, y)])
    assert one.value == pytest.approx(by_hand)
    assert improvement([(y, x)]).value == pytest.approx(1 - by_hand)
    assert one.n == min(len(x), len(y))
    assert (one.low is None) == (one.n < FEWEST)


def test_improvement_weighs_environments_alike_however_many_seeds_they_have() -> None:
    pairs = [([1.0] * 20, [0.0] * 20), ([0.0] * 5, [1.0] * 5)]
    assert improvement(pairs).value == 0.5
    assert improvement([*pairs, ([np.nan], [1.0])]).value == 0.5
    assert np.isnan(improvement([([np.nan], [1.0])]).value)


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=14, unique=True), st.data())
def test_the_rank_sum_test_is_scipys_exact_one_without_ties(values: list[int], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(values) - 1))
    x, y = values[:n], values[n:]
    assert rank_sum_test(x, y) == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue)


@settings(max_examples=25)
@given(few, few)
def test_the_rank_sum_test_is_the_permutation_test_with_ties(x: list[float], y: list[float]) -> None:
    def distance(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
        ranks = stats.rankdata(np.concatenate([one, other], axis), axis=axis)
        middle = len(x) * (len(x) + len(y) + 1) / 2
        return abs(ranks[..., : len(x)].sum(axis) - middle)

    if min(len(x), len(y)) > 1:
        expected = stats.permutation_test(
            (x, y), distance, vectorized=True, n_resamples=np.inf, alternative="greater"
        )
        assert rank_sum_test(x, y) == pytest.approx(expected.pvalue)


def test_the_smallest_p_value_is_two_of_all_ways_to_deal() -> None:
    assert rank_sum_test([0.0] * 5, [0.9, 0.8, 0.8, 0.7, 1.0]) == pytest.approx(2 / 252)
    assert rank_sum_test([0.0] * 5, [0.0] * 5) == 1
    assert np.isnan(rank_sum_test([np.nan], [1.0]))


def test_holm_as_in_its_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, np.nan])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
def test_holm_lies_between_no_correction_and_bonferronis(p: list[float], random: object) -> None:
    corrected = holm(p)
    assert all(a <= b <= min(1, a * len(p)) + 1e-12 for a, b in zip(p, corrected, strict=True))
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm([p[k] for k in order]) == pytest.approx([corrected[k] for k in order])
