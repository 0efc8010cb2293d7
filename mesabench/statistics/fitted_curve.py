"""A curve through the scores of an alpha sweep, and the alpha* that it gives (`docs/scores.md`).

`mesabench.statistics.alpha_star.threshold` looks at the two tested alphas around the passage; a curve uses all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from mesabench.statistics.alpha_star import BELOW, DEFINED, Threshold, threshold
from mesabench.statistics.intervals import FEWEST, bounds, known, times_drawn
from mesabench.streams import generator

PARAMETERS = 4
"""Of the curve: where it starts, where it ends, its middle, its steepness."""
SURPRISING = 0.01
"""A curve is not taken for a fit where means lie as far from it in less than this share of cases."""
STEP = 0.06
"""Between the middles that are tried, in log alpha: alpha* is found to 6 %."""
STEEPNESSES = 8
"""That are tried at each middle."""
WIDEST = 8.0
"""The flattest curve rises from a tenth to nine tenths over this many e-folds of alpha."""
TENTHS, HUNDREDTHS = 2 * np.log(9), 2 * np.log(99)
"""A logistic curve of steepness k rises from a tenth to nine tenths, or from .01 to .99, over these numbers / k."""
ROWS = 250
"""Resamples that are fitted at once: memory."""


@dataclass(frozen=True)
class Fit(Threshold):
    """The alpha* of a curve; between: the tested alphas around it.

    start, end, middle, steepness: of `curve`, None where there is none and reason says why; no_finer: whether the rise is as
    steep as the tested alphas can tell, so that the interval holds both of the alphas around it.
    """

    start: float | None = None
    end: float | None = None
    middle: float | None = None
    steepness: float | None = None
    no_finer: bool = False

    def curve(self, alphas: ArrayLike) -> np.ndarray:
        """The mean score that it predicts, float64 (k,), at alphas in [0, 1]. Raises ValueError without a curve."""
        if self.start is None or self.end is None or self.middle is None or self.steepness is None:
            raise ValueError(f"there is no curve: {self.reason}")
        risen = _logistic(np.asarray(alphas, np.float64), self.middle, self.steepness)
        return np.asarray(self.start + (self.end - self.start) * risen)


def fitted(
    alphas: Sequence[float],
    scores: Sequence[ArrayLike],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Fit:
    """The logistic curve in log alpha that fits best, and where it passes half-way from its value at alpha = 0 to that at 1.

    score(alpha) = start + (end - start) / (1 + (middle / alpha) ** steepness). At alpha = 0 that is start: zero needs no place on
    the log scale. It is fitted by minimum chi-square (Berkson 1980, Annals of Statistics 8, 457-487), which has the
    large-sample properties of maximum likelihood: over a grid of middles and steepnesses, with start and end in closed form,
    so that no local optimum is taken for the best. The variance of a mean of n seeds is p (1 - p) / n, that of all-or-nothing
    scores, the largest there is; p is the mean with a seed at 0 and one at 1 added. Curves that do nearly all of their rise
    between two tested alphas are the steepest that are tried; where more than one of twenty resamples is that steep, the
    interval holds both alphas.

    Seeds of each alpha are resampled by themselves for the interval; none where an alpha has fewer than FEWEST.

    Arguments and errors as of `mesabench.statistics.alpha_star.threshold`. No curve where that finds no rise, with fewer alphas
    than parameters and one, where the means lie too far from every curve, or where alpha* would be below all tested alphas but 0.
    """
    rise = threshold(alphas, scores, seed=seed, resamples=1, level=level)
    if rise.value is None:
        return Fit(reason=rise.reason)
    there = [(alpha, one) for alpha, one in zip(alphas, map(known, scores), strict=True) if len(one)]
    tested = np.array([alpha for alpha, _ in there])
    if len(tested) <= PARAMETERS:
        return Fit(reason=f"a curve needs at least {PARAMETERS + 1} tested alphas; {len(tested)} have scores")
    grid = _Grid.of(tested)
    counts = np.array([len(one) for _, one in there])
    means = np.array([[one.mean() for _, one in there]])
    (best,), (start,), (end,), (distance,) = grid.fit(means, counts)
    if chi2.sf(distance, len(tested) - PARAMETERS) < SURPRISING:
        return Fit(reason="no logistic curve lies near the means")
    value = float(grid.stars[best])
    if value < tested[1]:
        return Fit(reason=f"it lies below {tested[1]:g}, the smallest tested alpha but 0")
    right = int(np.searchsorted(tested, value))
    between = (float(tested[right - 1]), float(tested[right]))
    no_finer = bool(grid.steepest[best])
    low = high = None
    if counts.min() >= FEWEST:
        rng = generator(seed)
        resampled = np.stack(
            [np.einsum("rn,n->r", times_drawn(rng, len(one), resamples), one) / len(one) for _, one in there],
            1,
        )
        fits = [grid.fit(resampled[k : k + ROWS], counts) for k in range(0, resamples, ROWS)]
        rises = np.concatenate([ends > starts for _, starts, ends, _ in fits])
        no_finer |= bool(
            np.mean(np.concatenate([grid.steepest[places] for places, *_ in fits])) > 1 - DEFINED
        )
        if rises.mean() >= DEFINED:
            low, high = bounds(np.concatenate([grid.stars[places] for places, *_ in fits])[rises], level)
            if no_finer and low is not None and high is not None:
                low, high = min(low, between[0]), max(high, between[1])
    return Fit(
        value, between, low, high, None, float(start), float(end), float(grid.middles[best]), float(grid.steepnesses[best]),
        no_finer,
    )  # fmt: skip


@dataclass(frozen=True)
class _Grid:
    """The curves that are tried. middles, steepnesses, stars (their alpha*): float64 (g,); steepest: bool (g,), those that are as
    steep as is tried; risen: float64 (alphas, g).
    """

    middles: np.ndarray
    steepnesses: np.ndarray
    stars: np.ndarray
    steepest: np.ndarray
    risen: np.ndarray

    @classmethod
    def of(cls, tested: np.ndarray) -> "_Grid":
        places = np.log(tested[1:])
        middles = np.arange(places[0] - np.log(BELOW), places[-1] + np.log(BELOW), STEP)
        around = np.clip(np.searchsorted(places, middles), 1, len(places) - 1)
        most = HUNDREDTHS / np.diff(places)[around - 1]
        steepness = np.geomspace(np.minimum(TENTHS / WIDEST, most / 2), most, STEEPNESSES, axis=1).ravel()
        middle = np.repeat(middles, STEEPNESSES)
        steepest = np.tile(np.arange(STEEPNESSES) == STEEPNESSES - 1, len(middles))
        # half of what it has risen to at alpha = 1: 1 / (1 + (m / a) ** k) = h, solved for a
        half = _logistic(np.ones(1), np.exp(middle), steepness)[0] / 2
        stars = np.exp(middle - np.log(1 / half - 1) / steepness)
        return cls(np.exp(middle), steepness, stars, steepest, _logistic(tested, np.exp(middle), steepness))

    def fit(
        self, means: np.ndarray, counts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """For each row of means, float64 (rows, alphas): the best curve's place, its start and end, and its chi-square."""
        shares = (means * counts + 1) / (counts + 2)
        weights = counts / (shares * (1 - shares))
        total, product = weights.sum(1, keepdims=True), weights * means
        x, xx = weights @ self.risen, weights @ self.risen**2
        y, xy = product.sum(1, keepdims=True), product @ self.risen
        spread = total * xx - x**2
        rise = (total * xy - x * y) / spread
        start = (y - rise * x) / total
        distance = (product * means).sum(1, keepdims=True) - start * y - rise * xy
        distance = np.where(spread > 1e-9 * total**2, distance, np.inf)
        best = distance.argmin(1)
        rows = np.arange(len(means))
        return best, start[rows, best], (start + rise)[rows, best], np.maximum(0.0, distance[rows, best])


def _logistic(alphas: np.ndarray, middles: np.ndarray | float, steepnesses: np.ndarray | float) -> np.ndarray:
    """float64 (alphas, curves), or (alphas,) for one curve; 0 at alpha = 0."""
    shape = (-1, 1) if np.ndim(middles) else (-1,)
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(1 / (1 + (middles / alphas.reshape(shape)) ** steepnesses))
