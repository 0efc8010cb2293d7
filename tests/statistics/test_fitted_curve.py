"""A curve through an alpha sweep: alpha* is recovered where it is known, and where no curve fits there is a reason."""

import numpy as np
import pytest

from mesabench.statistics.alpha_star import threshold
from mesabench.statistics.fitted_curve import fitted

ALPHAS = [0.0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.3, 0.4, 0.55, 0.75, 1.0]


def curve(start: float, end: float, middle: float, steepness: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return start + (end - start) / (1 + (middle / np.array(ALPHAS)) ** steepness)


def alike(means: np.ndarray, seeds: int = 10) -> list[np.ndarray]:
    return [np.full(seeds, one) for one in means]


def alpha_star(middle: float, steepness: float) -> float:
    """Where the curve has risen to half of what it has at 1."""
    return middle * (2 * (1 + middle**steepness) - 1) ** (-1 / steepness)


@pytest.mark.parametrize(("middle", "steepness"), [(0.05, 2.0), (0.01, 1.0), (0.3, 1.5)])
def test_a_curve_is_found_again(middle: float, steepness: float) -> None:
    truth = curve(0.05, 0.9, middle, steepness)
    one = fitted(ALPHAS, alike(truth), seed=0, resamples=50)
    assert one.value == pytest.approx(alpha_star(middle, steepness), rel=0.12)
    assert one.curve(ALPHAS) == pytest.approx(truth, abs=0.03)
    assert one.curve([0.0]) == pytest.approx([one.start])
    assert one.between is not None
    assert one.between[0] <= one.value <= one.between[1]
    assert (one.reason, one.no_finer) == (None, False)


@pytest.mark.parametrize(
    ("middle", "steepness", "seeds"), [(0.05, 1.5, 10), (0.05, 3.0, 20), (0.3, 1.5, 10), (0.05, 30.0, 10)]
)
def test_the_interval_covers_the_truth(middle: float, steepness: float, seeds: int) -> None:
    """Of seeds that are all or nothing; the last curve is steeper than the tested alphas are dense."""
    rng, held = np.random.default_rng(1), []
    chances, truth = curve(0.05, 0.95, middle, steepness)[:, None], alpha_star(middle, steepness)
    for k in range(30):
        drawn = (rng.random((len(ALPHAS), seeds)) < chances).astype(float)
        one = fitted(ALPHAS, list(drawn), seed=k, resamples=100)
        held.append(one.low is not None and one.low <= truth <= one.high)
    assert np.mean(held) >= 0.85  # of 30: 0.95 less two and a half standard errors


def test_a_leap_between_two_alphas_is_known_no_finer_than_they_are() -> None:
    one = fitted(ALPHAS, alike(0.02 + 0.96 * (np.array(ALPHAS) >= 0.06)), seed=0, resamples=50)
    assert one.no_finer
    assert one.low <= 0.045
    assert one.high >= 0.06


def test_few_seeds_have_a_curve_but_no_interval() -> None:
    one = fitted(ALPHAS, alike(curve(0, 1, 0.05, 2), seeds=5), seed=0)
    assert one.value is not None
    assert (one.low, one.high) == (None, None)


@pytest.mark.parametrize(
    ("alphas", "means", "reason"),
    [
        (ALPHAS, np.full(15, 0.4), "has to rise"),
        (ALPHAS, np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1.0]), "no logistic curve lies near"),
        ([0.0, 0.01, 0.1, 1.0], np.array([0, 0, 1, 1.0]), "at least 5 tested alphas; 4"),
        ([0.0, 0.01, 0.03, 0.1, 0.3, 1.0], np.array([0, 1, 1, 1, 1, 1.0]), "below 0.01, the smallest"),
    ],
)
def test_where_no_curve_fits_it_says_why(alphas: list[float], means: np.ndarray, reason: str) -> None:
    one = fitted(alphas, alike(means, seeds=20), seed=0)
    assert one.value is one.low is one.start is None
    assert reason in one.reason
    with pytest.raises(ValueError, match="there is no curve"):
        one.curve(alphas)


def test_it_agrees_with_interpolation_where_both_are_sure() -> None:
    scores = alike(curve(0.1, 0.9, 0.05, 2))
    assert fitted(ALPHAS, scores, seed=0, resamples=50).value == pytest.approx(
        threshold(ALPHAS, scores, seed=0).value, rel=0.15
    )


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = list((np.random.default_rng(0).random((15, 12)) < curve(0, 1, 0.05, 1)[:, None]).astype(float))
    assert fitted(ALPHAS, scores, seed=1, resamples=50) == fitted(ALPHAS, scores, seed=1, resamples=50)
