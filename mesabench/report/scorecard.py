"""The scorecard's rows: the scores of a population with all that is drawn of them, and its outcome classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesabench.report import words
from mesabench.population import Population
from mesabench.scores import NAMES
from mesabench.verdict import OUTCOMES


@dataclass(frozen=True)
class Cell:
    """A score of a population. dots: the seeds' values; all positions are in [0, 1]; value None where reason says why."""

    name: str
    gloss: str
    value: float | None
    low: float | None
    high: float | None
    dots: Sequence[float]
    reason: str | None


@dataclass(frozen=True)
class Bar:
    """Shares that sum to 1: (name, share, text, style class)."""

    label: str
    parts: Sequence[tuple[str, float, str, str]]
    reference: bool = False

    @property
    def spoken(self) -> str:
        return ", ".join(f"{name} {text}" for name, _, text, _ in self.parts)


@dataclass(frozen=True)
class Row:
    """A population in the scorecard."""

    population: Population
    colour: str
    cells: Sequence[Cell]
    outcomes: Bar
    note: str


def row_of(one: Population, colour: str) -> Row:
    cells = []
    for name in ("TRAINED", *NAMES):
        interval = one.card.scores[name]
        dots = [seed.scores[name].value for seed in one.seeds]
        cells.append(
            Cell(
                name,
                words.GLOSSES[name],
                _bounded(interval.value) if interval.n else None,
                _bounded(interval.low),
                _bounded(interval.high),
                sorted(_bounded(dot) for dot in dots if dot is not None),
                one.card.reasons.get(name),
            )
        )
    n = len(one.seeds)
    parts = [
        (
            outcome,
            one.card.outcomes[outcome][0] / n,
            str(one.card.outcomes[outcome][0]),
            outcome.replace(" ", "-"),
        )
        for outcome in OUTCOMES
        if outcome in one.card.outcomes
    ]
    exact = sum(seed.exact for seed in one.seeds)
    how = "exact" if exact == n else ("sampled" if not exact else f"{exact} of {n} exact")
    return Row(one, colour, cells, Bar("", parts), f"{words.plural(n, 'seed')}, {how}")


def _bounded(value: float | None) -> Any:
    return None if value is None else min(1.0, max(0.0, value))
