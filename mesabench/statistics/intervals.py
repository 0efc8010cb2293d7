"""Means and shares with honest intervals over training seeds, the unit of replication (`docs/scores.md`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from mesabench.streams import generator

FEWEST = 10
"""Seeds below which no interval is given: of fewer, none that is worth reading holds what it promises."""


@dataclass(frozen=True)
class Interval:
    """A mean over n seeds and its interval.

    value: NaN where n is 0. low, high: None where n is less than FEWEST, or where no bounds are known.
    """

    value: float
    low: float | None
    high: float | None
    n: int


def bootstrap_mean(
    values: ArrayLike,
    *,
    seed: int,
    lowest: ArrayLike = 0.0,
    highest: ArrayLike = 1.0,
    resamples: int = 2000,
    level: float = 0.95,
) -> tuple[Interval, ...]:
    """The mean of every column over training seeds, with an interval for the mean of all seeds that might have been drawn.

    A percentile bootstrap, with two pseudo-seeds among those that are resampled: one has the lowest value that is possible, one
    the highest. Without them ten seeds of an outcome that one seed in ten has would have an interval of no width in a third of
    all cases: in simulations (tests/statistics/test_coverage.py) the plain bootstrap covers 0.40 to 0.95 of the true means, this
    one at least 0.92, whether scores are spread or all-or-nothing. A column without finite bounds has no interval: what could
    lie anywhere may have a rare value that no seed showed.

    values: float (n, k), one row per training seed; (n,) is taken as one column. Rows are resampled as a whole, so that what
        belongs to one agent stays together. NaN says that a seed has no such number: the column is the mean of the others.
    lowest, highest: float, or (k,): between which the numbers of each column lie, infinite where that is not known. What lies
        beyond, by an error of sampled episodes, widens them.
    seed: of the resampling; the same values and seed give the same bytes.

    Raises ValueError for infinite values, other shapes, or a level outside (0, 1).
    """
    rows = np.asarray(values, np.float64)
    if rows.ndim not in (1, 2) or np.isinf(rows).any():
        raise ValueError(f"values must be finite or NaN and of shape (n,) or (n, k); got shape {rows.shape}")
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(
            f"level={level!r} must lie between 0 and 1, and resamples={resamples!r} must be at least 1"
        )
    rows = np.ascontiguousarray(rows[:, None] if rows.ndim == 1 else rows)
    present = ~np.isnan(rows)
    filled = np.where(present, rows, 0.0)
    counts = present.sum(0)
    with np.errstate(invalid="ignore"):
        means = filled.sum(0) / counts
    if len(rows) < FEWEST:
        return tuple(Interval(float(mean), None, None, int(n)) for mean, n in zip(means, counts, strict=True))

    least = np.minimum(lowest, np.min(rows, 0, initial=np.inf, where=present))
    most = np.maximum(highest, np.max(rows, 0, initial=-np.inf, where=present))
    bounded = np.isfinite(least) & np.isfinite(most)
    filled = np.vstack([filled, np.where(bounded, [least, most], 0.0)])
    present = np.vstack([present, np.ones((2, len(counts)), bool)])
    rng = generator(seed)
    drawn_rows = times_drawn(rng, len(filled), resamples)
    # einsum, not a matrix product: BLAS may add up in another order with another number of threads
    sums, numbers = (np.einsum("rn,nk->rk", drawn_rows, one) for one in (filled, present.astype(np.float64)))
    intervals = []
    for k, n in enumerate(counts):
        drawn = numbers[:, k] > 0
        found = sums[drawn, k] / numbers[drawn, k] if n >= FEWEST and bounded[k] else None
        intervals.append(Interval(float(means[k]), *bounds(found, level), int(n)))
    return tuple(intervals)


def times_drawn(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """How often each of n is drawn in each resample of n: float64 (resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def bounds(drawn: np.ndarray | None, level: float) -> tuple[float | None, float | None]:
    """The percentile interval of what the resamples gave, float64 (resamples,); None without any."""
    if drawn is None:
        return None, None
    tail = 50 * (1 - level)
    low, high = np.percentile(drawn, (tail, 100 - tail))
    return float(low), float(high)


def known(values: ArrayLike) -> np.ndarray:
    """The values that are there, of float (n,). Raises ValueError for infinite values and other shapes."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or np.isinf(values).any():
        raise ValueError(f"values must be finite or NaN and of shape (n,); got shape {values.shape}")
    return values[~np.isnan(values)]


def wilson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share: `count` of `n`. (0, 1) where n is 0. Raises ValueError."""
    if not 0 <= count <= n or not 0 < level < 1:
        raise ValueError(
            f"a share is a count from 0 to n at a level between 0 and 1; got {count} of {n}, {level}"
        )
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, spread = count / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    # rounding must not leave the share itself outside, as it would at 0 of n and n of n
    return (0.0 if count == 0 else middle - half), (1.0 if count == n else middle + half)


def performance_profile(
    groups: Sequence[ArrayLike], thresholds: ArrayLike, *, level: float = 0.95
) -> tuple[Interval, ...]:
    """The share of agents whose score exceeds each threshold (performance profiles: Agarwal et al. 2021, section 4.2).

    Wilson's interval of the pooled share: where environments differ, agents of each scatter less around it than it allows for.

    groups: float (n,) for each environment, a score of every seed; NaN counts for nothing. thresholds: float (k,).
    No interval unless each environment that has any has at least FEWEST. n: of agents.
    """
    scores = [one for one in map(known, groups) if len(one)]
    pooled = np.concatenate(scores) if scores else np.zeros(0)
    enough = bool(scores) and min(map(len, scores)) >= FEWEST
    found = []
    for threshold in np.asarray(thresholds, np.float64):
        count, n = int((pooled > threshold).sum()), len(pooled)
        low, high = wilson(count, n, level) if enough else (None, None)
        found.append(Interval(count / n if n else float("nan"), low, high, n))
    return tuple(found)
