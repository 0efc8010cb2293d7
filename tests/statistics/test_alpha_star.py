"""alpha*: found where it is known, with an interval that covers it, and a reason where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mesabench.statistics.alpha_star import positions, threshold

ALPHAS = [0.0, 0.001, 0.01, 0.1, 1.0]


def alike(*means: float, seeds: int = 12) -> list[list[float]]:
    return [[mean] * seeds for mean in means]


def test_half_way_between_two_alphas_is_their_geometric_mean() -> None:
    one = threshold(ALPHAS, alike(0, 0, 0, 1, 1), seed=0)
    assert one.value == pytest.approx(np.sqrt(0.01 * 0.1))
    assert one.between == (0.01, 0.1)
    assert (one.low, one.high) == pytest.approx((one.value, one.value))
    assert one.reason is None


def test_zero_stands_a_tenth_below_the_smallest_other_alpha() -> None:
    assert positions(ALPHAS) == pytest.approx(np.log([0.0001, 0.001, 0.01, 0.1, 1]))
    one = threshold(ALPHAS, alike(0.1, 0.9, 0.9, 0.9, 0.9), seed=0)
    assert one.between == (0, 0.001)
    assert one.value == pytest.approx(np.sqrt(0.0001 * 0.001))


def test_a_score_that_is_just_half_is_the_threshold() -> None:
    assert threshold(ALPHAS, alike(0, 0.5, 0.5, 1, 1), seed=0).value == pytest.approx(0.001)


# binary fractions, so that no rounding decides whether half of the range is reached
@given(
    arrays(np.int64, (5, 10), elements=st.integers(0, 64)), st.sampled_from((0.5, 2)), st.integers(-64, 64)
)
def test_a_threshold_lies_where_the_mean_passes_half_and_scale_does_not_matter(
    scores: np.ndarray, scale: float, offset: int
) -> None:
    scores = scores / 64
    scores[0] *= 0.25
    scores[-1] = 0.75 + 0.25 * scores[-1]
    one, other = (
        threshold(ALPHAS, list(values), seed=0, resamples=50)
        for values in (scores, scale * scores + offset / 64)
    )
    assert other.value == pytest.approx(one.value, rel=1e-6)
    left, right = (ALPHAS.index(alpha) for alpha in one.between)
    above = scores.mean(1) >= (scores[0].mean() + scores[-1].mean()) / 2
    assert not above[: left + 1].any()
    assert above[right:].all()
    assert above[left + 1]
    assert not above[right - 1]
    places = np.exp(positions(ALPHAS))
    assert places[left] * (1 - 1e-9) <= one.value <= places[right] * (1 + 1e-9)
    assert places[0] <= one.low <= one.high <= places[-1] * (1 + 1e-9)


def test_the_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    alphas = [0.0, *np.logspace(-3, 0, 8)]
    chance = 1 / (1 + np.exp(-(positions(alphas) - np.log(0.03))))
    truth = threshold(alphas, [[one] for one in chance], seed=0).value
    found = [
        threshold(alphas, list((rng.random((9, 12)) < chance[:, None]).astype(float)), seed=k, resamples=300)
        for k in range(200)
    ]
    assert 0.9 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.99


def test_few_seeds_at_one_alpha_have_no_interval() -> None:
    scores = alike(0, 0, 0.4, 1, 1)
    scores[2] = [0.4] * 4
    one = threshold(ALPHAS, scores, seed=0)
    assert one.value is not None
    assert (one.low, one.high) == (None, None)


def test_no_interval_where_resamples_often_have_no_threshold() -> None:
    one = threshold([0.0, 0.1, 1.0], [[0, 0, 0, 0, 1.0], [0] * 5, [0, 0, 0, 1.0, 1.0]], seed=0)
    assert one.value is not None
    assert (one.low, one.high) == (None, None)


def test_of_several_crossings_it_is_the_middle() -> None:
    one = threshold(ALPHAS, alike(0, 1, 0, 1, 1), seed=0)
    assert one.value == pytest.approx((0.0001 * 0.001 * 0.01 * 0.1) ** 0.25)
    assert one.between == (0, 0.1)


def test_an_alpha_without_a_number_is_left_out() -> None:
    holed = threshold(ALPHAS, [[0] * 5, [np.nan] * 5, [0] * 5, [1] * 5, [1] * 5], seed=0)
    assert holed == threshold([0.0, 0.01, 0.1, 1.0], alike(0, 0, 1, 1, seeds=5), seed=0)


@pytest.mark.parametrize(
    ("alphas", "means", "reason"),
    [
        ([0.0, 0.1], (0, 1), "no score at alpha = 1"),
        ([0.1, 1.0], (0, 1), "no score at alpha = 0"),
        ([0.0, 1.0], (0, 1), "no alpha between"),
        ([0.0, 0.1, 1.0], (0.5, 0.6, 0.6), "has to rise"),
        ([0.0, 0.1, 1.0], (0.9, 0.5, 0.1), "has to rise"),
    ],
)
def test_where_there_is_none_it_says_why(alphas: list[float], means: tuple[float, ...], reason: str) -> None:
    one = threshold(alphas, alike(*means), seed=0)
    assert one.value is one.between is one.low is one.high is None
    assert reason in one.reason


@pytest.mark.parametrize("alphas", [[0.0, 0.0, 1.0], [1.0, 0.1, 0.0], [0.0, 0.5, 2.0], [0.0, 1.0]])
def test_other_alphas_are_refused(alphas: list[float]) -> None:
    with pytest.raises(ValueError, match="alphas must rise"):
        threshold(alphas, alike(0, 0, 1), seed=0)


def test_the_same_seed_gives_the_same_bytes() -> None:
    scores = list(np.random.default_rng(0).random((5, 12)) + np.arange(5)[:, None])
    assert threshold(ALPHAS, scores, seed=1) == threshold(ALPHAS, scores, seed=1)
    assert threshold(ALPHAS, scores, seed=1) != threshold(ALPHAS, scores, seed=2)
