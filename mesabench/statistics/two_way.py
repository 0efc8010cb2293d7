"""Intervals for claims about an environment: seeds and levels are both drawn, and every seed meets the same levels.

An interval over seeds alone is for the claim "other seeds of this recipe, on these very levels". Of an environment one wants to
know more: other seeds, on other levels. The table of scores has a row for each seed and a column for each level, so the errors of
levels do not average out over seeds. Both are resampled, each by itself: the pigeonhole bootstrap (Owen 2007, "The pigeonhole
bootstrap", Annals of Applied Statistics 1, 386-411).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mesabench.statistics.intervals import FEWEST, Interval, bounds, times_drawn
from mesabench.statistics.roc import auroc, superiority_interval

FEWEST_LEVELS = 20
"""Levels below which there is no interval over levels: a bootstrap of fewer is too narrow."""


@dataclass(frozen=True)
class Crossed:
    """A score of seeds on levels that all of them were evaluated on.

    A seed's score is the sum of its parts over the sum of its weights, kept within lowest .. highest: of a mean over levels the
    weights are 1; of a share, as PROXY is, they are what the share is of.

    parts, weights: float64 (seeds, levels); weights are 0 where a level says nothing.
    """

    parts: np.ndarray
    weights: np.ndarray
    lowest: float = 0.0
    highest: float = 1.0

    def __post_init__(self) -> None:
        if self.parts.ndim != 2 or self.parts.shape != self.weights.shape:
            raise ValueError(
                f"parts and weights must both be (seeds, levels); got {self.parts.shape} and {self.weights.shape}"
            )
        if not (np.isfinite(self.parts).all() and np.isfinite(self.weights).all()):
            raise ValueError("parts and weights must be finite; a level that says nothing has the weight 0")

    @property
    def enough(self) -> bool:
        """Whether an interval over seeds and levels can be given."""
        return self.parts.shape[0] >= FEWEST and self.parts.shape[1] >= FEWEST_LEVELS

    def scores(self, times: np.ndarray | None = None) -> np.ndarray:
        """Of every seed: float64 (seeds,); or (resamples, seeds), with each level drawn `times`, float64 (resamples, levels).

        NaN where no level says anything.
        """
        times = np.ones((1, self.parts.shape[1])) if times is None else times
        # einsum, not a matrix product: BLAS may add up in another order with another number of threads
        parts, weights = (np.einsum("rl,sl->rs", times, one) for one in (self.parts, self.weights))
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.clip(np.where(weights > 0, parts / weights, np.nan), self.lowest, self.highest)
        return found[0] if len(times) == 1 else found

    def with_extreme_levels(self, first: float, second: float) -> Self:
        """With two pseudo-levels on which all seeds have these values; their weight is a seed's mean."""
        mean = self.weights.mean(1, keepdims=True)
        return type(self)(
            np.hstack([self.parts, first * mean, second * mean]),
            np.hstack([self.weights, mean, mean]),
            self.lowest,
            self.highest,
        )


def two_way_mean(crossed: Crossed, *, seed: int, resamples: int = 2000, level: float = 0.95) -> Interval:
    """The mean over seeds, with an interval over seeds and levels; n: of seeds.

    Two pseudo-seeds and two pseudo-levels are resampled with them, one of either with the lowest and one with the highest value,
    as `mesabench.statistics.intervals.bootstrap_mean` does and for its reason. None below FEWEST seeds that have a score, below
    FEWEST_LEVELS levels, or without finite bounds.
    """
    crossed = _scored(crossed)
    value = _mean(crossed.scores())
    n = len(crossed.parts)
    if not crossed.enough or not np.isfinite([crossed.lowest, crossed.highest]).all():
        return Interval(value, None, None, n)
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = _drawn_means(crossed.with_extreme_levels(crossed.lowest, crossed.highest), rng, resamples)
    return Interval(value, *bounds(drawn, level), n)


def two_way_difference(
    first: Crossed, second: Crossed, *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """The mean of the first population less that of the second, with an interval over seeds and levels; n: of the fewer seeds.

    Both were evaluated on the same levels, in the same order: a level that is drawn counts in both, so what is hard for both
    leaves no error. None where `two_way_mean` would give none. Raises ValueError where the numbers of levels differ.
    """
    first, second = _same_levels(first, second)
    value = _mean(first.scores()) - _mean(second.scores())
    n = min(len(first.parts), len(second.parts))
    if not (first.enough and second.enough):
        return Interval(value, None, None, n)
    rng = np.random.Generator(np.random.PCG64(seed))
    sides = (
        first.with_extreme_levels(first.lowest, first.highest),
        second.with_extreme_levels(
            second.highest, second.lowest
        ),  # on these the two differ as much as they can
    )
    times = times_drawn(rng, sides[0].parts.shape[1], resamples)
    one, other = (_drawn_means(side, rng, resamples, times) for side in sides)
    return Interval(value, *bounds(one - other, level), n)


def two_way_improvement(
    pairs: Sequence[tuple[Crossed, Crossed]], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """P(X > Y), ties counting half, in each environment and then averaged, with an interval over seeds and levels.

    As `mesabench.statistics.contrasts.improvement`, for the error of seeds (Newcombe 2006, method 5); that of levels, which are
    resampled alike for both sides, is independent of it, and distances from a value to its limits add up as standard errors do
    (Zou and Donner 2008). n: of the smallest side. None unless each pair has FEWEST seeds a side and FEWEST_LEVELS levels.
    """
    both = [_same_levels(*pair) for pair in pairs]
    both = [(x, y) for x, y in both if len(x.parts) and len(y.parts)]
    if not both:
        return Interval(float("nan"), None, None, 0)
    values = [auroc(x.scores(), y.scores()) for x, y in both]
    mean, n = float(np.mean(values)), min(len(side.parts) for pair in both for side in pair)
    if not all(side.enough for pair in both for side in pair):
        return Interval(mean, None, None, n)
    rng = np.random.Generator(np.random.PCG64(seed))
    squared = np.zeros(2)
    for value, (x, y) in zip(values, both, strict=True):
        times = times_drawn(rng, x.parts.shape[1], resamples)
        mine, theirs = (side.scores(times) for side in (x, y))
        gap = mine[:, :, None] - theirs[:, None, :]
        drawn = np.mean((gap > 0) + (gap == 0) / 2, axis=(1, 2))
        tail = 50 * (1 - level)
        limits = (
            superiority_interval(value, len(x.parts), len(y.parts), level),
            np.percentile(drawn, (tail, 100 - tail)),
        )
        for low, high in limits:  # those of the levels may leave the value itself out
            squared += np.square([max(0.0, value - low), max(0.0, high - value)])
    below, above = np.sqrt(squared) / len(both)
    return Interval(mean, max(0.0, mean - float(below)), min(1.0, mean + float(above)), n)


def _drawn_means(
    crossed: Crossed, rng: np.random.Generator, resamples: int, times: np.ndarray | None = None
) -> np.ndarray:
    """Means of resampled seeds on resampled levels: float64 (resamples,). times: how often each level is drawn."""
    if times is None:
        times = times_drawn(rng, crossed.parts.shape[1], resamples)
    scores = crossed.scores(times)
    extremes = np.tile([crossed.lowest, crossed.highest], (resamples, 1))
    scores = np.hstack([scores, extremes])
    seeds = times_drawn(rng, scores.shape[1], resamples) * ~np.isnan(scores)
    return np.asarray((seeds * np.nan_to_num(scores)).sum(1) / seeds.sum(1))


def _scored(crossed: Crossed) -> Crossed:
    """Without the seeds that have no score."""
    known = ~np.isnan(crossed.scores())
    return Crossed(crossed.parts[known], crossed.weights[known], crossed.lowest, crossed.highest)


def _same_levels(first: Crossed, second: Crossed) -> tuple[Crossed, Crossed]:
    if first.parts.shape[1] != second.parts.shape[1]:
        raise ValueError(
            f"both populations must be evaluated on the same levels; got {first.parts.shape[1]} and {second.parts.shape[1]}"
        )
    return _scored(first), _scored(second)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
