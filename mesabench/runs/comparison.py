"""Populations against each other: which comparisons are made, the chance of doing better, and p-values (`docs/scores.md`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from mesabench.runs.cohort import Population, control_of
from mesabench.statistics.intervals import FEWEST, Interval, bounds, known, times_drawn


@dataclass(frozen=True)
class Contrast:
    """What one population does against another on one score.

    environments: names of those that are averaged over; improvement: the chance that a seed of the first exceeds one of the
    second; p: of a rank sum test, corrected for all contrasts of the same score. None where a side has fewer than FEWEST
    seeds, and for averages over environments.
    """

    environments: tuple[str, ...]
    first: str
    second: str
    improvement: Interval
    p: float | None


def contrasts(populations: Sequence[Population], score: str, *, seed: int = 0) -> list[Contrast]:
    """The comparisons that were decided upon beforehand, on one score; then their averages over environments.

    Each population against its control (alpha = 1), and agents against each other in the same environment and variant. A
    single agent is no population and is compared with nothing.
    """
    pairs = list(_registered(populations))
    sides = [(_values(first, score), _values(second, score)) for first, second in pairs]
    p_values = [
        rank_sum_test(x, y) if min(len(known(x)), len(known(y))) >= FEWEST else None for x, y in sides
    ]
    corrected = iter(holm([p for p in p_values if p is not None]))
    found = [
        Contrast((first.environment.name,), first.label, second.label, improvement([one], seed=seed),
                 None if p is None else next(corrected))
        for (first, second), one, p in zip(pairs, sides, p_values, strict=True)
    ]  # fmt: skip
    together: dict[tuple[str, str], list[int]] = {}
    for k, one in enumerate(found):
        together.setdefault((one.first, one.second), []).append(k)
    averages = [
        replace(
            found[places[0]],
            environments=tuple(found[k].environments[0] for k in places),
            improvement=improvement([sides[k] for k in places], seed=seed),
            p=None,
        )
        for places in together.values()
        if len(places) > 1
    ]
    return found + averages


def _registered(populations: Sequence[Population]) -> Iterator[tuple[Population, Population]]:
    several = [one for one in populations if len(one.seeds) > 1]
    for one in several:
        control = control_of(one, several)
        if control and control.alpha == 1:
            yield one, control
    for one, other in combinations(several, 2):
        same = one.environment.name == other.environment.name and one.variant == other.variant
        if same and one.agent != other.agent:
            yield one, other


def _values(one: Population, score: str) -> list[float]:
    return [seed.scores[score].number for seed in one.seeds]


def improvement(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval:
    """P(X > Y), ties counting half, in each environment and then averaged over them (Agarwal et al. 2021, section 4.3).

    pairs: for each environment the scores of the seeds of X and of Y, float (n,) and (m,); NaN counts for nothing, and an
        environment in which one side has no number is left out. Seeds of each side are resampled within their environment;
        no interval unless each side has at least FEWEST of them everywhere. n: of the smallest side.
    """
    both = [(x, y) for x, y in ((known(x), known(y)) for x, y in pairs) if len(x) and len(y)]
    if not both:
        return Interval(float("nan"), None, None, 0)
    wins = [(np.sign(x[:, None] - y) + 1) / 2 for x, y in both]
    smallest = min(min(one.shape) for one in wins)
    drawn = None
    if smallest >= FEWEST:
        rng = np.random.Generator(np.random.PCG64(seed))
        drawn = np.mean(
            [
                np.einsum("rn,nm,rm->r", times_drawn(rng, len(one), resamples), one,
                          times_drawn(rng, one.shape[1], resamples)) / one.size
                for one in wins
            ],
            axis=0,
        )  # fmt: skip
    return Interval(float(np.mean([one.mean() for one in wins])), *bounds(drawn, level), smallest)


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
