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
from mesabench.statistics.two_way import Crossed, two_way_difference, two_way_improvement, two_way_mean

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


BETWEEN = pytest.mark.slow(reason="more seeds than the fewest that have an interval, up to twice as many")


@pytest.mark.parametrize("n", [FEWEST, *(pytest.param(n, marks=BETWEEN) for n in (12, 15, 20))])
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


def seeds_on_levels(
    p: float, n: int, rng: np.random.Generator, levels: tuple[np.ndarray, np.ndarray]
) -> Crossed:
    """A share p of seeds wants the goal, and gets it on most levels; the others get it on few; which levels is alike for all."""
    wants = rng.random((n, 1)) < p
    return Crossed(np.where(wants, *levels), np.ones((n, len(levels[0]))))


def levels_of(kind: str, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """S on each level of who wants the goal (mean 0.8) and of who does not (mean 0.1)."""
    if kind == "all or nothing":
        drawn = rng.random(number)
        return (drawn < 0.8).astype(float), (drawn < 0.1).astype(float)
    return rng.beta(0.8 * 4, 0.2 * 4, number), rng.beta(0.1 * 4, 0.9 * 4, number)


@pytest.mark.parametrize("kind", ["all or nothing", "spread"])
@pytest.mark.parametrize("p", [0.05, 0.1, 0.2, 0.5])
def test_the_interval_over_seeds_and_levels_holds_the_truth_of_all_levels(kind: str, p: float) -> None:
    rng = np.random.default_rng(6)
    truth, held = 0.8 * p + 0.1 * (1 - p), []
    for k, (n, number) in enumerate([(10, 20), (10, 50), (15, 100), (20, 20), (20, 50)] * 25):
        one = two_way_mean(seeds_on_levels(p, n, rng, levels_of(kind, number, rng)), seed=k, resamples=200)
        held.append(one.low <= truth <= one.high)
    assert np.mean(held) >= 0.9


def test_that_over_seeds_alone_would_not() -> None:
    rng, held = np.random.default_rng(7), []
    for k in range(150):
        scores = seeds_on_levels(0.05, 20, rng, levels_of("all or nothing", 20, rng)).scores()
        (one,) = bootstrap_mean(scores, seed=k, resamples=200)
        held.append(one.low <= 0.8 * 0.05 + 0.1 * 0.95 <= one.high)
    assert np.mean(held) < 0.88


@pytest.mark.parametrize("level", [0.01, 0.05, 0.2])
def test_the_interval_over_levels_holds_the_truth_of_a_rare_kind_of_level(level: float) -> None:
    """All seeds are right, but on a rare kind of level all are wrong."""
    rng, held = np.random.default_rng(8), []
    for k in range(150):
        right = np.tile((rng.random(60) >= level).astype(float), (10, 1))
        one = two_way_mean(Crossed(right, np.ones_like(right)), seed=k, resamples=200)
        held.append(one.low <= 1 - level <= one.high)
    assert np.mean(held) >= 0.92


def test_seeds_and_levels_resampled_at_once_would_not_hold_it() -> None:
    rng, held = np.random.default_rng(8), []
    seeds = times_drawn(rng, 12, 300)  # of ten alike, and two pseudo-seeds
    for _ in range(300):
        right = np.append((rng.random(60) >= 0.01).astype(float), [0.0, 1.0])
        alike = times_drawn(rng, 62, 300) @ right / 62
        low, high = bounds((alike * seeds[:, :10].sum(1) + seeds[:, 11]) / 12, 0.95)
        held.append(low <= 0.99 <= high)
    assert np.mean(held) < 0.9


@pytest.mark.parametrize(("p", "q"), [(0.05, 0.05), (0.05, 0.5), (0.2, 0.9), (0.0, 1.0)])
def test_the_interval_of_a_contrast_paired_per_level_holds_the_truth(p: float, q: float) -> None:
    rng, held = np.random.default_rng(9), []
    for k, (m, n, number) in enumerate([(10, 10, 20), (10, 20, 50), (20, 20, 50)] * 50):
        levels = levels_of("spread", number, rng)
        one = two_way_difference(
            seeds_on_levels(p, m, rng, levels), seeds_on_levels(q, n, rng, levels), seed=k, resamples=200
        )
        held.append(one.low <= 0.7 * (p - q) <= one.high)
    assert np.mean(held) >= 0.91


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.95])
def test_the_interval_of_the_chance_to_exceed_on_other_levels_holds_the_truth(truth: float) -> None:
    """Seeds have abilities of their own, and every level is a task that an ability passes or not, alike for all."""
    rng, held, surer = np.random.default_rng(10), [], []
    for k, (m, n, number) in enumerate([(10, 10, 25), (20, 20, 25), (10, 20, 60)] * 50):
        hard = rng.normal(0, 1.5, number)
        x, y = (norm.cdf(one[:, None] - hard) for one in pairs_of("normal", truth, m, n, rng))
        scores = [Crossed((rng.random(one.shape) < one).astype(float), np.ones_like(one)) for one in (x, y)]
        one = two_way_improvement([(scores[0], scores[1])], seed=k, resamples=200)
        alone = improvement([(scores[0].scores(), scores[1].scores())])
        held.append(one.low <= truth <= one.high)
        surer.append(one.high - one.low >= alone.high - alone.low)
    assert np.mean(held) >= 0.9
    assert all(surer)
