"""Intervals over seeds and levels: what seeds share is not taken for knowledge about other levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.statistics.contrasts import improvement
from mesabench.statistics.intervals import FEWEST, bootstrap_mean
from mesabench.statistics.two_way import (
    FEWEST_LEVELS,
    Crossed,
    two_way_difference,
    two_way_improvement,
    two_way_mean,
)


def mean_of(scores: np.ndarray) -> Crossed:
    """Scores, float (seeds, levels), of which a seed's is the mean."""
    return Crossed(scores, np.ones_like(scores))


def width(one) -> float:
    return one.high - one.low


@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 4, 9)))
def test_a_seeds_score_is_its_parts_over_its_weights(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random((3, levels)) + 0.01
    parts = weights * rng.random((3, levels))
    one = Crossed(parts, weights)
    assert one.scores() == pytest.approx(parts.sum(1) / weights.sum(1))
    twice = one.scores(np.full((2, levels), 2.0))
    assert twice == pytest.approx(np.tile(one.scores(), (2, 1)))


def test_a_level_that_says_nothing_has_no_weight() -> None:
    scores = np.random.default_rng(0).random((12, 40))
    padded = Crossed(
        np.hstack([scores, np.zeros((12, 5))]), np.hstack([np.ones((12, 40)), np.zeros((12, 5))])
    )
    assert padded.scores() == pytest.approx(mean_of(scores).scores())
    with pytest.raises(ValueError, match="has the weight 0"):
        mean_of(np.full((12, 40), np.nan))


def test_where_all_levels_are_alike_it_is_hardly_wider_than_over_seeds() -> None:
    seeds = np.random.default_rng(1).random(20)
    both = two_way_mean(mean_of(np.tile(seeds[:, None], (1, 1000))), seed=0)
    (alone,) = bootstrap_mean(seeds, seed=0)
    assert both.value == pytest.approx(alone.value)
    assert width(alone) <= width(both) <= 1.02 * width(alone)


def test_where_levels_decide_it_tells_while_that_over_seeds_does_not() -> None:
    levels = (np.random.default_rng(2).random(50) < 0.5).astype(float)
    both = two_way_mean(mean_of(np.tile(levels, (200, 1))), seed=0)
    (alone,) = bootstrap_mean(np.full(200, levels.mean()), seed=0)
    assert width(both) > 5 * width(alone)
    assert width(both) == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(50), rel=0.1)


def test_paired_levels_leave_no_error_of_what_is_hard_for_both() -> None:
    rng = np.random.default_rng(3)
    hard = rng.beta(0.3, 0.3, 60)
    first, second = (np.tile(one, (40, 1)) for one in (0.5 * hard + 0.4, 0.5 * hard))
    paired = two_way_difference(mean_of(first), mean_of(second), seed=0)
    unpaired = two_way_difference(mean_of(first), mean_of(second[:, rng.permutation(60)]), seed=0)
    assert paired.value == pytest.approx(0.4)
    assert width(paired) < 0.9 * width(unpaired)
    turned = two_way_difference(mean_of(second), mean_of(first), seed=0)
    assert turned.value == pytest.approx(-paired.value)


def test_the_chance_to_exceed_is_never_surer_of_other_levels_than_of_these() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.random((12, 30)) * 0.6 + 0.2, rng.random((12, 30)) * 0.6
    pairs = [(mean_of(x), mean_of(y)), (mean_of(y), mean_of(y[::-1]))]
    both = two_way_improvement(pairs, seed=0)
    alone = improvement([(one.scores(), other.scores()) for one, other in pairs])
    assert (both.value, both.n) == (pytest.approx(alone.value), alone.n)
    assert both.low <= alone.low <= both.value <= alone.high <= both.high


@pytest.mark.parametrize(
    ("seeds", "levels"), [(FEWEST - 1, 100), (FEWEST, FEWEST_LEVELS - 1), (1, 100), (0, 100), (20, 0)]
)
def test_too_few_have_no_interval(seeds: int, levels: int) -> None:
    few, many = mean_of(np.full((seeds, levels), 0.5)), mean_of(np.full((FEWEST, levels), 0.5))
    assert two_way_mean(few, seed=0).low is None
    assert two_way_difference(few, many, seed=0).low is None
    assert two_way_improvement([(few, many)], seed=0).low is None


def test_a_seed_without_a_score_is_left_out() -> None:
    scores = np.random.default_rng(5).random((12, 30))
    weights = np.ones_like(scores)
    weights[3] = 0
    one = two_way_mean(Crossed(scores * weights, weights), seed=0)
    assert one == two_way_mean(mean_of(np.delete(scores, 3, 0)), seed=0)
    assert one.n == 11


def test_what_could_lie_anywhere_has_no_interval() -> None:
    scores = np.random.default_rng(6).normal(size=(12, 30))
    assert two_way_mean(Crossed(scores, np.ones_like(scores), 0.0, np.inf), seed=0).low is None


def test_the_same_seed_gives_the_same_bytes() -> None:
    one = mean_of(np.random.default_rng(7).random((11, 25)))
    assert two_way_mean(one, seed=1) == two_way_mean(one, seed=1)
    assert two_way_mean(one, seed=1) != two_way_mean(one, seed=2)


def test_other_levels_are_refused() -> None:
    one, other = mean_of(np.ones((12, 30))), mean_of(np.ones((12, 31)))
    for contrast in (two_way_difference, lambda x, y, seed: two_way_improvement([(x, y)], seed=seed)):
        with pytest.raises(ValueError, match="the same levels; got 30 and 31"):
            contrast(one, other, seed=0)
    with pytest.raises(ValueError, match=r"must both be \(seeds, levels\)"):
        Crossed(np.ones((2, 3)), np.ones((2, 4)))
