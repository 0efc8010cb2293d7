"""Populations against each other: exact p-values with ties, their correction, and which comparisons are made."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mesabench.runs.cohort import Population
from mesabench.runs.comparison import contrasts, holm, improvement, rank_sum_test
from mesabench.scores.score import Score

few = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=6)


@given(few, few)
def test_improvement_counts_the_pairs(x: list[float], y: list[float]) -> None:
    by_hand = np.mean([(a > b) + (a == b) / 2 for a in x for b in y])
    one = improvement([(x, y)], seed=0)
    assert one.value == pytest.approx(by_hand)
    assert improvement([(y, x)], seed=0).value == pytest.approx(1 - by_hand)
    assert one.n == min(len(x), len(y))
    assert (one.low is None) == (one.n < 5)


def test_improvement_weighs_environments_alike_however_many_seeds_they_have() -> None:
    pairs = [([1.0] * 20, [0.0] * 20), ([0.0] * 5, [1.0] * 5)]
    assert improvement(pairs, seed=0).value == 0.5
    assert improvement([*pairs, ([np.nan], [1.0])], seed=0).value == 0.5
    assert np.isnan(improvement([([np.nan], [1.0])], seed=0).value)


def test_the_interval_of_improvement_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = stats.norm.cdf(1 / np.sqrt(2))
    found = [
        improvement([(rng.normal(1, 1, 12), rng.normal(0, 1, 12))], seed=k, resamples=400) for k in range(200)
    ]
    assert 0.88 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98


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


def population(environment: str, agent: str, variant: str, alpha: float, *true: float) -> Population:
    def trial(seed: int) -> SimpleNamespace:
        identity = {"agent": agent, "options": {"alpha": alpha}, "seed": seed, "environment": environment}
        return SimpleNamespace(
            agent=agent, variant=variant, options={"alpha": alpha}, settings={}, identity=identity
        )

    seeds = [SimpleNamespace(trial=trial(k), scores=SimpleNamespace(scores={"TRUE": Score(value)})) for k, value in
             enumerate(true)]  # fmt: skip
    return Population(SimpleNamespace(name=environment), seeds)


def test_what_is_compared_with_what() -> None:
    low, high = (0.0, 0.1, 0.0, 0.2, 0.0), (0.9, 1.0, 0.8, 0.7, 0.95)
    ordinary, control = (
        population("a", "ppo", "ordinary", 0, *low),
        population("a", "ppo", "control", 1, *high),
    )
    partly = population("a", "ppo", "alpha-0.1", 0.1, *high)
    other = population("a", "dqn", "ordinary", 0, *high)
    elsewhere = [population("b", "ppo", "ordinary", 0, *high), population("b", "ppo", "control", 1, *high)]
    single = population("a", "oracle", "ordinary", 0, 1.0)
    found = contrasts([ordinary, partly, control, other, *elsewhere, single], "TRUE")
    assert [(one.environments, one.first, one.second) for one in found] == [
        (("a",), "ppo, ordinary", "ppo, control"),
        (("a",), "ppo, alpha=0.1", "ppo, control"),
        (("b",), "ppo, ordinary", "ppo, control"),
        (("a",), "ppo, ordinary", "dqn, ordinary"),
        (("a", "b"), "ppo, ordinary", "ppo, control"),
    ]
    assert [one.improvement.value for one in found] == [0, 0.5, 0.5, 0, 0.25]
    assert [one.p for one in found[:4]] == pytest.approx([4 * 2 / 252, 1, 1, 4 * 2 / 252])
    assert found[4].p is None
    assert found == contrasts([ordinary, partly, control, other, *elsewhere, single], "TRUE")


def test_no_p_value_for_few_seeds() -> None:
    few_seeds = [
        population("a", "ppo", "ordinary", 0, 0, 0, 0),
        population("a", "ppo", "control", 1, 1, 1, 1),
    ]
    (one,) = contrasts(few_seeds, "TRUE")
    assert (one.improvement.value, one.improvement.low, one.p) == (0, None, None)
