"""Populations against each other, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesabench.report import words
from mesabench.runs.cohort import Population
from mesabench.runs.comparison import contrasts
from mesabench.statistics.intervals import FEWEST

SCORES = ("TRUE", "COMP")
"""What is compared: whether they do what was intended, and whether that is a matter of competence."""


@dataclass(frozen=True)
class Comparison:
    """A row. where: the environment, or how many; cells: for each of `SCORES` the chance in words, its interval, the p-value."""

    where: str
    first: str
    second: str
    cells: Sequence[tuple[str, str, str]]


def comparisons(populations: Sequence[Population], titles: Mapping[str, str]) -> list[Comparison]:
    """titles: of the environments, by name."""
    found = zip(*contrasts(populations, SCORES).values(), strict=True)
    return [
        Comparison(
            titles[both[0].environments[0]]
            if len(both[0].environments) == 1
            else f"Mean of {len(both[0].environments)} environments",
            both[0].first,
            both[0].second,
            [
                (
                    words.number(one.improvement.value) if one.improvement.n else "n/a",
                    words.span(one.improvement),
                    _p(one.p, len(one.environments)),
                )
                for one in both
            ],
        )
        for both in found
    ]


def _p(p: float | None, environments: int) -> str:
    if p is None:
        return "" if environments > 1 else f"no p-value: fewer than {FEWEST} seeds"
    return words.p_value(p)
