"""Intervals for claims about an environment: seeds and levels are both drawn, and every seed meets the same levels.

An interval over seeds alone is for the claim "other seeds of this recipe, on these very levels". Of an environment one wants to
know more: other seeds, on other levels. The table of scores has a row for each seed and a column for each level, so the errors of
levels do not average out over seeds (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 386-411).

As there, rows and columns are resampled each by themselves. But the two are not drawn at once: that of seeds is the interval over
seeds that is given anyway, and the distances of both from the value to their limits add up as standard errors do (Zou and Donner
2008, Statistics in Medicine 27, 1693-1702). So an interval over seeds and levels is never narrower than that over seeds. Where
one of the two has nothing to say, percentiles of both at once held the truth in less than 0.9 of simulated cases, these in 0.92
and more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from mesabench.statistics.contrasts import improvement
from mesabench.statistics.intervals import FEWEST, Interval, bootstrap_mean, bounds, times_drawn
from mesabench.statistics.roc import auroc
from mesabench.streams import generator

Limits = tuple[float | None, float | None]

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
        alike = bool((self.weights == self.weights[:1]).all())  # as in a mean: then one row is all of them
        # einsum, not a matrix product: BLAS may add up in another order with another number of threads
        parts, weights = (
            np.einsum("rl,sl->rs", times, one)
            for one in (self.parts, self.weights[:1] if alike else self.weights)
        )
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

    As `mesabench.statistics.intervals.bootstrap_mean`, for the error of seeds. Two pseudo-levels, one with the lowest and one
    with the highest value, are resampled with the levels, for the same reason as pseudo-seeds are with seeds. None below FEWEST
    seeds that have a score, below FEWEST_LEVELS levels, or without finite bounds.
    """
    crossed = _scored(crossed)
    lowest, highest = crossed.lowest, crossed.highest
    (over_seeds,) = _over_seeds(crossed, seed, resamples, level)
    if not crossed.enough or over_seeds.low is None or over_seeds.high is None:
        return Interval(over_seeds.value, None, None, over_seeds.n)
    more = crossed.with_extreme_levels(lowest, highest)
    over_levels = bounds(more.scores(_times(more, seed, resamples)).mean(1), level)
    return _combined(over_seeds, lowest, highest, (over_seeds.low, over_seeds.high), over_levels)


def two_way_difference(
    first: Crossed, second: Crossed, *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """The mean of the first population less that of the second, with an interval over seeds and levels; n: of the fewer seeds.

    Both were evaluated on the same levels, in the same order: a level that is drawn counts in both, so what is hard for both
    leaves no error. None where `two_way_mean` would give none. Raises ValueError where the numbers of levels differ.
    """
    first, second = _same_levels(first, second)
    (mine,), (theirs,) = (_over_seeds(side, seed, resamples, level) for side in (first, second))
    found = Interval(mine.value - theirs.value, None, None, min(mine.n, theirs.n))
    if not (first.enough and second.enough):
        return found
    if mine.low is None or mine.high is None or theirs.low is None or theirs.high is None:
        return found
    sides = (
        first.with_extreme_levels(first.lowest, first.highest),
        second.with_extreme_levels(
            second.highest, second.lowest
        ),  # on these the two differ as much as they can
    )
    times = _times(sides[0], seed, resamples)
    drawn = sides[0].scores(times).mean(1) - sides[1].scores(times).mean(1)
    return _combined(
        found,
        first.lowest - second.highest,
        first.highest - second.lowest,
        # the seeds of the two are independent
        (mine.low - theirs.value, mine.high - theirs.value),
        (mine.value - theirs.high, mine.value - theirs.low),
        bounds(drawn, level),
    )


def two_way_improvement(
    pairs: Sequence[tuple[Crossed, Crossed]], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """P(X > Y), ties counting half, in each environment and then averaged, with an interval over seeds and levels.

    As `mesabench.statistics.contrasts.improvement`, for the error of seeds (Newcombe 2006, method 5); levels are resampled alike
    for both sides. n: of the smallest side. None unless each pair has FEWEST seeds a side and FEWEST_LEVELS levels.
    """
    both = [(x, y) for x, y in (_same_levels(*pair) for pair in pairs) if len(x.parts) and len(y.parts)]
    found = improvement([(x.scores(), y.scores()) for x, y in both], level=level)
    if not both or not all(side.enough for pair in both for side in pair):
        return Interval(found.value, None, None, found.n)
    over_levels = np.zeros(2)
    for number, (x, y) in enumerate(both):
        times = _times(x, seed + number, resamples)
        mine, theirs = (side.scores(times) for side in (x, y))
        gap = mine[:, :, None] - theirs[:, None, :]
        low, high = bounds(np.mean((gap > 0) + (gap == 0) / 2, axis=(1, 2)), level)
        value = auroc(x.scores(), y.scores())
        over_levels += np.square(_distances(value, (low, high)))
    below, above = np.sqrt(over_levels) / len(both)
    return _combined(found, 0.0, 1.0, (found.low, found.high), (found.value - below, found.value + above))


def _times(crossed: Crossed, seed: int, resamples: int) -> np.ndarray:
    """How often each level is drawn in each resample."""
    return _drawn(crossed.parts.shape[1], seed, resamples)


@lru_cache(maxsize=4)
def _drawn(levels: int, seed: int, resamples: int) -> np.ndarray:
    """Kept, since the populations of a run mostly share their levels."""
    drawn = times_drawn(generator(seed), levels, resamples)
    drawn.flags.writeable = False
    return drawn


def _over_seeds(crossed: Crossed, seed: int, resamples: int, level: float) -> tuple[Interval, ...]:
    return bootstrap_mean(
        crossed.scores(),
        seed=seed,
        lowest=crossed.lowest,
        highest=crossed.highest,
        resamples=resamples,
        level=level,
    )


def _combined(found: Interval, lowest: float, highest: float, *limits: Limits) -> Interval:
    """An interval of independent errors, each of which has limits of its own, within lowest .. highest."""
    below, above = np.sqrt(sum(np.square(_distances(found.value, one)) for one in limits))
    return Interval(
        found.value,
        max(lowest, found.value - float(below)),
        min(highest, found.value + float(above)),
        found.n,
    )


def _distances(value: float, limits: Limits) -> np.ndarray:
    """From a value to its limits, downwards and upwards; 0 where the percentiles of resamples leave it out."""
    low, high = limits
    assert low is not None
    assert high is not None
    return np.maximum(0.0, [value - low, high - value])


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
