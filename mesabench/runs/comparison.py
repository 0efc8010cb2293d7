"""Populations against each other: which comparisons are made, and what comes out (`docs/scores.md`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from mesabench.evaluation.shared_levels import BY_LEVEL
from mesabench.runs.cohort import Population, control_of, on_shared_levels
from mesabench.statistics.contrasts import holm, improvement, rank_sum_test
from mesabench.statistics.intervals import FEWEST, Interval, known
from mesabench.statistics.two_way import Crossed, two_way_difference, two_way_improvement


@dataclass(frozen=True)
class Contrast:
    """What one population does against another on one score.

    environments: names of those that are averaged over; improvement: the chance that a seed of the first exceeds one of the
    second, with an interval over seeds: a claim about these levels; elsewhere: the same with an interval over seeds and levels, a
    claim about the environments; difference: of the means, with the latter interval. Both are None for a score that is not
    `BY_LEVEL`, difference also for averages. p: of a rank sum test, corrected for all contrasts of all scores that were asked
    for; None where a side has fewer than FEWEST seeds, and for averages over environments.
    """

    environments: tuple[str, ...]
    first: str
    second: str
    improvement: Interval
    p: float | None
    elsewhere: Interval | None = None
    difference: Interval | None = None


def contrasts(populations: Sequence[Population], scores: Sequence[str]) -> dict[str, list[Contrast]]:
    """The comparisons that were decided upon beforehand, for each of the scores; then their averages over environments.

    Each population against its control (alpha = 1), and agents against each other in the same environment and variant. A
    single agent is no population and is compared with nothing. P-values are corrected for all comparisons of all these scores.
    """
    pairs = list(_registered(populations))
    sides = {
        score: [(_values(one, score), _values(other, score)) for one, other in pairs] for score in scores
    }
    p_values = [
        rank_sum_test(x, y) if min(len(known(x)), len(known(y))) >= FEWEST else None
        for both in sides.values()
        for x, y in both
    ]
    corrected = iter(holm([p for p in p_values if p is not None]))
    told = iter(None if p is None else next(corrected) for p in p_values)
    return {
        score: _contrasts(pairs, both, [next(told) for _ in both], score) for score, both in sides.items()
    }


def _contrasts(
    pairs: Sequence[tuple[Population, Population]],
    sides: Sequence[tuple[list[float], list[float]]],
    p_values: Sequence[float | None],
    score: str,
) -> list[Contrast]:
    found = [
        Contrast((first.environment.name,), first.label, second.label, improvement([one]), p)
        for (first, second), one, p in zip(pairs, sides, p_values, strict=True)
    ]
    crossed: list[tuple[Crossed, Crossed]] = []
    if score in BY_LEVEL:
        crossed = [(one, other) for one, other in (on_shared_levels(pair, score) for pair in pairs)]
        found = [
            replace(
                one,
                elsewhere=two_way_improvement([pair], seed=0),
                difference=two_way_difference(*pair, seed=0),
            )
            for one, pair in zip(found, crossed, strict=True)
        ]
    together: dict[tuple[str, str], list[int]] = {}
    for k, one in enumerate(found):
        together.setdefault((one.first, one.second), []).append(k)
    averages = [
        replace(
            found[places[0]],
            environments=tuple(found[k].environments[0] for k in places),
            improvement=improvement([sides[k] for k in places]),
            p=None,
            elsewhere=two_way_improvement([crossed[k] for k in places], seed=0) if crossed else None,
            difference=None,
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
