"""Every interval that is printed holds the truth as often as it says, by simulation: also of scores that are all or nothing."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, norm

from mesabench.statistics.contrasts import improvement
from mesabench.statistics.intervals import (
    FEWEST,
    bootstrap_mean,
    bounds,
    performance_profile,
    times_drawn,
    wilson,
)
from mesabench.statistics.roc import auroc, superiority_interval

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def all_or_nothing(p: float) -> tuple[Draw, float]:
    return lambda rng, shape: (rng.random(shape) < p).astype(float), p


def two_humps(p: float) -> tuple[Draw, float]:
    """Most seeds near 0.05, a share p near 0.9."""
    return (
        lambda rng, shape: np.where(rng.random(shape) < p, rng.beta(18, 2, shape), rng.beta(1, 19, shape)),
        0.9 * p + 0.05 * (1 - p),
    )


def spread(a: float, b: float) -> tuple[Draw, float]:
    return lambda rng, shape: rng.beta(a, b, shape), a / (a + b)


SCORES = {
    **{f"all or nothing, {p}": all_or_nothing(p) for p in (0.05, 0.1, 0.2, 0.3, 0.5)},
    **{f"two humps, {p}": two_humps(p) for p in (0.05, 0.1, 0.2, 0.3, 0.5)},
    "spread": spread(0.5, 0.5),
    "high": spread(18, 2),
    "low": spread(1, 19),
}


@pytest.mark.parametrize("n", [FEWEST, 12, 15, 20])
@pytest.mark.parametrize("shape", SCORES)
def test_the_interval_of_a_mean_holds_the_truth(shape: str, n: int) -> None:
    draw, truth = SCORES[shape]
    columns = draw(np.random.default_rng(n), (n, 1500))
    intervals = bootstrap_mean(columns, seed=1, resamples=500)
    assert np.mean([one.low - 1e-9 <= truth <= one.high + 1e-9 for one in intervals]) >= 0.91


def test_without_pseudo_seeds_it_would_not() -> None:
    draw, truth = SCORES["all or nothing, 0.1"]
    rng = np.random.default_rng(10)
    drawn = times_drawn(rng, 10, 500) @ draw(rng, (10, 1500)) / 10
    held = [low <= truth <= high for low, high in (bounds(one, 0.95) for one in drawn.T)]
    assert np.mean(held) < 0.75


@pytest.mark.parametrize("p", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("n", [10, 20])
def test_the_interval_of_a_share_holds_the_truth(p: float, n: int) -> None:
    counts = np.arange(n + 1)
    chances = binom.pmf(counts, n, p)  # exact: no simulation is needed
    held = [low <= p <= high for low, high in (wilson(int(count), n) for count in counts)]
    assert chances @ held >= 0.9


@pytest.mark.parametrize("shares", [(0.02,) * 6, (0.05, 0.5, 0.95), (0.0, 0.1), (0.3,)])
def test_the_interval_of_a_profile_holds_the_truth(shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(600):
        (one,) = performance_profile([(rng.random(10) < p).astype(float) for p in shares], [0.5])
        held.append(one.low <= np.mean(shares) <= one.high)
    assert np.mean(held) >= 0.92


def pairs_of(
    family: str, truth: float, m: int, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of which the first exceeds the second with this chance."""
    if family == "normal":
        return rng.normal(norm.ppf(truth) * np.sqrt(2), 1, m), rng.normal(0, 1, n)
    if family == "exponential":
        return rng.exponential(truth / (1 - truth), m), rng.exponential(1, n)
    return (rng.random(m) < 2 * truth - 1).astype(float), np.zeros(n)


@pytest.mark.parametrize("family", ["normal", "exponential", "all or nothing"])
@pytest.mark.parametrize("truth", [0.5, 0.8, 0.9, 0.95, 0.98, 0.995])
def test_the_interval_of_the_chance_to_exceed_holds_the_truth(family: str, truth: float) -> None:
    rng = np.random.default_rng(3)
    for m, n in ((10, 10), (10, 20), (20, 20)):
        found = [auroc(*pairs_of(family, truth, m, n, rng)) for _ in range(400)]
        intervals = [superiority_interval(value, m, n) for value in found]
        assert np.mean([low <= truth <= high for low, high in intervals]) >= 0.87


@pytest.mark.parametrize("truths", [(0.9, 0.6), (0.98,) * 4, (0.5, 0.8, 0.99)])
def test_the_interval_of_a_mean_chance_to_exceed_holds_the_truth(truths: tuple[float, ...]) -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(200):
        one = improvement([pairs_of("normal", truth, 12, 12, rng) for truth in truths])
        held.append(one.low <= np.mean(truths) <= one.high)
    assert np.mean(held) >= 0.91
