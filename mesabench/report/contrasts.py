"""Populations against each other, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesabench.report import words
from mesabench.runs.cohort import Population
from mesabench.runs.comparison import contrasts
from mesabench.statistics.intervals import FEWEST, Interval

SCORES = ("TRUE", "COMP")
"""What is compared: whether they do what was intended, and whether that is a matter of competence."""

PAIRED = "TRUE"
"""The score whose means are compared level by level."""


@dataclass(frozen=True)
class Comparison:
    """A row. where: the environment, or how many; cells: for each of `SCORES` the chance in words, its interval over seeds, that
    over seeds and levels, the p-value; difference: of the means of `PAIRED`, its interval over seeds and levels.
    """

    where: str
    first: str
    second: str
    cells: Sequence[tuple[str, str, str, str]]
    difference: tuple[str, str]


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
                    words.span(one.elsewhere) if one.elsewhere else "",
                    _p(one.p, len(one.environments)),
                )
                for one in both
            ],
            _difference(both[SCORES.index(PAIRED)].difference),
        )
        for both in found
    ]


def tests(found: Sequence[Comparison]) -> int:
    """How many p-values the table holds; as many are corrected for."""
    return sum(p.startswith("p ") for one in found for *_, p in one.cells)


def _difference(one: Interval | None) -> tuple[str, str]:
    return (words.number(one.value), words.span(one)) if one and one.low is not None else ("", "")


def _p(p: float | None, environments: int) -> str:
    if p is None:
        return "" if environments > 1 else f"no p-value: fewer than {FEWEST} seeds"
    return words.p_value(p)
