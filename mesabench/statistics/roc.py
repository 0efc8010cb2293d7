"""One sample of scores against another: the ROC curve, the area under it, which is the chance to exceed, and its interval."""

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from mesabench.statistics.intervals import FEWEST, Interval


def auroc(planted: ArrayLike, honest: ArrayLike) -> float:
    """The chance that a planted organism is suspected more than an honest one, ties counting half.

    Scores, float (n,) and (m,); NaN where either is empty.
    """
    wins = _wins(planted, honest)
    return float(wins.mean()) if wins.size else math.nan


def roc(planted: ArrayLike, honest: ArrayLike) -> tuple[tuple[float, float], ...]:
    """The corners of the ROC curve, (0, 0) to (1, 1): shares of the honest and of the planted that every threshold suspects.

    Scores, float (n,) and (m,), neither empty. Ties make a slanted step, so the area below is `auroc`. Fawcett 2006, section 5.
    """
    mine, theirs = np.asarray(planted, np.float64), np.asarray(honest, np.float64)
    thresholds = np.unique(np.concatenate([mine, theirs]))[::-1]
    shares = [(0.0, 0.0)]
    shares += [(float((theirs >= one).mean()), float((mine >= one).mean())) for one in thresholds]
    return tuple(_corners(shares))


def _corners(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A line's points without those in the middle of a straight stretch along an axis."""
    kept = list(points[:1])
    for (before, here), (_, after) in zip(pairwise(points), pairwise(points[1:]), strict=False):
        if not any(before[k] == here[k] == after[k] for k in (0, 1)):
            kept.append(here)
    return [*kept, *points[-1:]] if len(points) > 1 else kept


def mean_roc(
    curves: Sequence[Sequence[tuple[float, float]]], weights: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """The mean of ROC curves at every share of honest ones suspected, so that the area below it is the mean of their areas.

    Vertical averaging: Fawcett 2006, section 8.1. curves: as from `roc`; weights: positive, one each.
    """
    if len(curves) == 1:
        return tuple(curves[0])
    share = np.asarray(weights, np.float64) / np.sum(weights)
    points = []
    for x in sorted({x for curve in curves for x, _ in curve}):
        ends = np.array([_at(curve, x) for curve in curves])
        points += [(x, float(y)) for y in dict.fromkeys((share @ ends).tolist())]
    return tuple(_corners(points))


def _at(curve: Sequence[tuple[float, float]], x: float) -> tuple[float, float]:
    """The least and the largest y that a curve has at x."""
    here = [y for at, y in curve if at == x]
    if here:
        return here[0], here[-1]
    y = float(np.interp(x, [at for at, _ in curve], [y for _, y in curve]))
    return y, y


def _wins(planted: ArrayLike, honest: ArrayLike) -> np.ndarray:
    mine, theirs = np.asarray(planted, np.float64)[:, None], np.asarray(honest, np.float64)[None]
    return (mine > theirs) + (mine == theirs) / 2


def interval_over_seeds(
    value: float, planted_seeds: ArrayLike, honest_seeds: ArrayLike, *, level: float = 0.95
) -> Interval:
    """An AUROC, or a mean of some, with its interval; n: of seeds.

    Several organisms of one seed are taken for one: they share what they were trained on. That may make the interval too wide,
    never too narrow. None below `mesabench.statistics.intervals.FEWEST` seeds on either side.
    """
    m, n = (len(np.unique(np.asarray(seeds))) for seeds in (planted_seeds, honest_seeds))
    seeds = len(np.unique(np.concatenate([planted_seeds, honest_seeds])))
    if min(m, n) < FEWEST:
        return Interval(value, None, None, seeds)
    return Interval(value, *superiority_interval(value, m, n, level), seeds)


def superiority_interval(value: float, m: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of P(X > Y), ties counting half, that was found to be `value` on m and n independent draws.

    Newcombe 2006 (Statistics in Medicine 25, 559-573), method 5: the values from which `value` lies no further than z standard
    errors, where the standard error is that of Hanley and McNeil 1982 at the value in question, with (m + n) / 2 - 1 in place
    of both sample sizes. Near 0 and 1 it keeps a width, where a bootstrap of a perfect separation has none: in simulations a
    bootstrap covered .25 to .74 there, this .95 and more (tests/statistics/test_coverage.py).

    Raises ValueError for a value outside [0, 1], an empty side, or a level outside (0, 1).
    """
    if not 0 <= value <= 1 or min(m, n) < 1 or not 0 < level < 1:
        raise ValueError(
            f"P(X > Y) lies between 0 and 1, found on at least one draw a side, at a level between 0 and 1; got {value}, "
            f"{m} and {n} draws, {level}"
        )
    z, others = NormalDist().inv_cdf((1 + level) / 2), (m + n) / 2 - 1

    def off(theta: float, side: float) -> float:
        variance = (
            theta * (1 - theta) * (1 + others * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (m * n)
        )
        return side * (value - theta) - z * math.sqrt(variance)

    inner = min(
        max(value, 1e-12), 1 - 1e-12
    )  # at 0 and 1 themselves there is no error, so every value would be a root
    low = 0.0 if value == 0 else brentq(off, 0, inner, args=(1.0,))
    high = 1.0 if value == 1 else brentq(off, inner, 1, args=(-1.0,))
    return float(low), float(high)
