"""Two samples of scores against each other: the chance that one exceeds the other, and p-values (`docs/scores.md`)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mesabench.statistics.intervals import FEWEST, Interval, known
from mesabench.statistics.roc import auroc, superiority_interval


def improvement(pairs: Sequence[tuple[ArrayLike, ArrayLike]], *, level: float = 0.95) -> Interval:
    """P(X > Y), ties counting half, in each environment and then averaged over them (Agarwal et al. 2021, section 4.3).

    The interval of each is `mesabench.statistics.roc.superiority_interval`; that of the average follows from theirs: distances
    from the values to their limits add up as standard errors do (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702).

    pairs: for each environment the scores of the seeds of X and of Y, float (n,) and (m,); NaN counts for nothing, and an
        environment in which one side has no number is left out. No interval unless each side has at least FEWEST of them
        everywhere. n: of the smallest side.
    """
    both = [(x, y) for x, y in ((known(x), known(y)) for x, y in pairs) if len(x) and len(y)]
    if not both:
        return Interval(float("nan"), None, None, 0)
    values = np.array([auroc(x, y) for x, y in both])
    smallest = min(min(len(x), len(y)) for x, y in both)
    mean = float(values.mean())
    if smallest < FEWEST:
        return Interval(mean, None, None, smallest)
    limits = np.array(
        [
            superiority_interval(value, len(x), len(y), level)
            for value, (x, y) in zip(values, both, strict=True)
        ]
    )
    below, above = np.sqrt(((limits - values[:, None]) ** 2).sum(0)) / len(both)
    return Interval(mean, max(0.0, mean - below), min(1.0, mean + above), smallest)


def rank_sum_test(x: ArrayLike, y: ArrayLike) -> float:
    """The two-sided p-value of the Mann-Whitney (rank sum) test, exact also where values are tied.

    All ways to deal the pooled midranks out to the two sides are counted, by dynamic programming over their sums: scores
    that are clipped at 0 tie, where SciPy's exact test does not apply. x, y: float (n,) and (m,), NaN counts for nothing.
    NaN if a side is empty.
    """
    x, y = known(x), known(y)
    if not len(x) or not len(y):
        return float("nan")
    _, place, ties = np.unique(np.concatenate([x, y]), return_inverse=True, return_counts=True)
    ranks = (2 * np.cumsum(ties) - ties + 1)[place]  # twice the midranks: whole numbers
    table = np.zeros(
        (len(x) + 1, int(ranks.sum()) + 1)
    )  # (how many were dealt to x, the sum of their ranks): in how many ways
    table[0, 0] = 1
    for rank in ranks:
        table[1:, rank:] += table[:-1, : table.shape[1] - rank].copy()
    middle = len(x) * (len(ranks) + 1)
    far = np.abs(np.arange(table.shape[1]) - middle) >= abs(int(ranks[: len(x)].sum()) - middle)
    return float(table[-1, far].sum() / table[-1].sum())


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values corrected for their number, in the order given (Holm 1979). Raises ValueError unless all lie in [0, 1]."""
    given = np.asarray(p_values, np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1; got {list(p_values)}")
    order = np.argsort(given, kind="stable")
    corrected = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    return tuple(corrected[np.argsort(order, kind="stable")].tolist())
